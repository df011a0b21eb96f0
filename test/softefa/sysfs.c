/*
 * A tree like that of /sys, in $SYSFS_PATH, where libfabric and tools look for what the kernel tells of a device. The
 * counters are written again as traffic flows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "softefa.h"

#define COUNTERS_NANOSECONDS 5000000

/* libfabric and libibverbs hold paths of 256 bytes at most */
#define LONG_PATH 1024

static const char* root(void) {
  const char* path = getenv("SYSFS_PATH");
  return path == NULL || strcmp(path, "/sys") == 0 ? NULL : path;
}

__attribute__((format(printf, 1, 2))) static void folder(const char* format, ...) {
  char path[LONG_PATH];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(path, sizeof(path), format, arguments);
  va_end(arguments);
  for (char* at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
    *at = '\0';
    mkdir(path, 0755);
    *at = '/';
  }
  mkdir(path, 0755);
}

static void file(const char* in, const char* name, const char* content) {
  char path[LONG_PATH];

  snprintf(path, sizeof(path), "%s/%s", in, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  /* not truncated: who reads meanwhile finds the old content or the new */
  if (pwrite(fd, content, strlen(content), 0) < 0)
    fprintf(stderr, "softefa: cannot write %s: %s\n", path, strerror(errno));
  close(fd);
}

__attribute__((format(printf, 3, 4))) static void entry(const char* in, const char* name, const char* format, ...) {
  char content[64];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(content, sizeof(content), format, arguments);
  va_end(arguments);
  file(in, name, content);
}

static void link_to(const char* target, const char* in, const char* name) {
  char path[LONG_PATH];

  snprintf(path, sizeof(path), "%s/%s", in, name);
  /* there from another process, mostly */
  if (symlink(target, path) != 0 && errno != EEXIST)
    fprintf(stderr, "softefa: cannot link %s: %s\n", path, strerror(errno));
}

static void make_port(const char* device, const struct device* which) {
  bool is_down = faults_has("SOFTEFA_PORT", "down", "up");
  char port[LONG_PATH + 16], gids[LONG_PATH + 32], text[48];
  int end = 0;

  snprintf(port, sizeof(port), "%s/ports/1", device);
  folder("%s/hw_counters", port);
  snprintf(gids, sizeof(gids), "%s/gids", port);
  folder("%s", gids);
  for (int i = 0; i < 16; i += 2)
    end += snprintf(text + end, sizeof(text) - end, "%s%02x%02x", i > 0 ? ":" : "", which->gid.raw[i],
                    which->gid.raw[i + 1]);
  entry(gids, "0", "%s\n", text);
  entry(port, "state", "%s\n", is_down ? "1: DOWN  " : "4: ACTIVE");
  entry(port, "phys_state", "%s\n", is_down ? "3: Disabled" : "5: LinkUp  ");
  entry(port, "rate", "100 Gb/sec (4X EDR)\n");
  entry(port, "link_layer", "Unknown\n");
  entry(port, "lid", "0x0\n");
  snprintf(gids, sizeof(gids), "%s/hw_counters", port);
  entry(gids, "lifespan", "10\n");
}

/* As the kernel has it: the device below its PCI function, links to it from everywhere else. */
void sysfs_make(struct device* device, int index) {
  struct ibv_device* base = &device->base;
  const char* driver = device->is_efa ? "efa" : "other";
  char pci[32], in[400], target[160];

  snprintf(base->name, sizeof(base->name), "rdmap0s%d", index + 6);
  snprintf(base->dev_name, sizeof(base->dev_name), "uverbs%d", index);
  snprintf(pci, sizeof(pci), "0000:00:%02x.0", index + 6);
  if (root() == NULL) return;
  snprintf(base->dev_path, sizeof(base->dev_path), "%.180s/class/infiniband_verbs/%.20s", root(), base->dev_name);
  snprintf(base->ibdev_path, sizeof(base->ibdev_path), "%.180s/class/infiniband/%.20s", root(), base->name);

  /* the PCI function */
  snprintf(in, sizeof(in), "%.180s/devices/pci0000:00/%s", root(), pci);
  folder("%s/infiniband/%s", in, base->name);
  folder("%s/infiniband_verbs/%s", in, base->dev_name);
  entry(in, "vendor", "0x%04x\n", device->is_efa ? 0x1d0f : 0x15b3);
  entry(in, "device", "0x%04x\n", (unsigned int)faults_number("SOFTEFA_PART", 0xefa2));
  entry(in, "class", "0x020000\n");
  entry(in, "subsystem_vendor", "0x%04x\n", device->is_efa ? 0x1d0f : 0x15b3);
  entry(in, "subsystem_device", "0x%04x\n", (unsigned int)faults_number("SOFTEFA_PART", 0xefa2));
  entry(in, "numa_node", "-1\n");
  snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
  link_to(target, in, "driver");
  folder("%s/bus/pci/drivers/%s", root(), driver);
  folder("%s/bus/pci/devices", root());

  /* links to it */
  char where[LONG_PATH];
  snprintf(where, sizeof(where), "%s/bus/pci/drivers/%s", root(), driver);
  snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", pci);
  link_to(target, where, pci);
  snprintf(where, sizeof(where), "%s/bus/pci/devices", root());
  snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", pci);
  link_to(target, where, pci);
  folder("%s/class/infiniband", root());
  folder("%s/class/infiniband_verbs", root());
  snprintf(where, sizeof(where), "%s/class/infiniband", root());
  snprintf(target, sizeof(target), "../../devices/pci0000:00/%s/infiniband/%.20s", pci, base->name);
  link_to(target, where, base->name);
  snprintf(where, sizeof(where), "%s/class/infiniband_verbs", root());
  snprintf(target, sizeof(target), "../../devices/pci0000:00/%s/infiniband_verbs/%.20s", pci, base->dev_name);
  link_to(target, where, base->dev_name);
  entry(where, "abi_version", "6\n");

  /* the device */
  snprintf(where, sizeof(where), "%s/infiniband_verbs/%s", in, base->dev_name);
  link_to("../..", where, "device");
  entry(where, "ibdev", "%s\n", base->name);
  entry(where, "dev", "231:%d\n", 192 + index);
  entry(where, "abi_version", "1\n");
  snprintf(where, sizeof(where), "%s/infiniband/%s", in, base->name);
  link_to("../..", where, "device");
  entry(where, "node_type", "7: <unknown>\n");
  folder("%s/hw_counters", where);
  entry(where, "fw_ver", "0.0.0.0\n");
  entry(where, "hca_type", "\n");
  make_port(where, device);

  folder("%s/softefa", root());
  /* for tools that look for sys and dev below a root */
  link_to(".", root(), "sys");

  /* in the place of /dev */
  folder("%s/dev/infiniband", root());
  snprintf(where, sizeof(where), "%s/dev/infiniband", root());
  entry(where, base->dev_name, "%s", "");
}

/* What no EFA counts, and everything else with it: one line each, in $SYSFS_PATH/softefa/DEVICE. */
static void write_statistics(const struct context* context) {
  const struct counters* counters = &context->shared->counters;
  char in[LONG_PATH], text[4096];
  int end = 0;

#define LINE(name) \
  end += snprintf(text + end, sizeof(text) - end, "%-28s %llu\n", #name, (unsigned long long)counters->name);
  FOR_EACH_PORT_COUNTER(LINE)
  FOR_EACH_DEVICE_COUNTER(LINE)
  FOR_EACH_STATISTIC(LINE)
#undef LINE
  snprintf(in, sizeof(in), "%s/softefa", root());
  file(in, context->device->base.name, text);
}

/* Returns whether there was something to write. */
static bool write_counter(const char* in, const char* name, const _Atomic uint64_t* counter, uint64_t* written,
                          bool always) {
  if (!always && *written == *counter) return false;
  /* again where it went on: another process of this host may have written a later value in between */
  for (int i = 0; i < 2 && (i == 0 || *written != *counter); i++) {
    *written = *counter;
    entry(in, name, "%llu\n", (unsigned long long)*written);
  }
  return true;
}

void sysfs_write_counters(struct context* context, uint64_t now) {
  const struct counters* counters = &context->shared->counters;
  const char* device = context->device->base.ibdev_path;
  const bool always = now == UINT64_MAX;
  char in[LONG_PATH];
  bool has_changed = false;

  if (root() == NULL || (!always && now - context->counters_written < COUNTERS_NANOSECONDS)) return;
  context->counters_written = always ? 0 : now;
  uint64_t* written = context->written;
#define WRITE(name) has_changed |= write_counter(in, #name, &counters->name, written++, always);
  snprintf(in, sizeof(in), "%s/ports/1/hw_counters", device);
  FOR_EACH_PORT_COUNTER(WRITE)
  snprintf(in, sizeof(in), "%s/hw_counters", device);
  FOR_EACH_DEVICE_COUNTER(WRITE)
#undef WRITE
  if (has_changed) write_statistics(context);
}
