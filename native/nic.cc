#include "nic.h"

#include <rdma/fi_errno.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>

#include "padded.h"

namespace node_libfabric {
namespace {

char* CopyText(const char* text) {
  return text ? strdup(text) : nullptr;
}

int CloseNic(struct fid* fid) {
  auto* nic = reinterpret_cast<struct fid_nic*>(fid);
  for (char* text : {nic->device_attr->name, nic->device_attr->device_id, nic->device_attr->device_version,
                     nic->device_attr->vendor_id, nic->device_attr->driver, nic->device_attr->firmware,
                     nic->link_attr->address, nic->link_attr->network_type}) {
    std::free(text);
  }
  std::free(nic->device_attr);
  std::free(nic->bus_attr);
  std::free(nic->link_attr);
  std::free(nic);
  return 0;
}

int ControlNic(struct fid* fid, int command, void* argument) {
  if (command != FI_DUP) return -FI_ENOSYS;
  auto* from = reinterpret_cast<struct fid_nic*>(fid);
  struct fid_nic* to = AllocateNic();
  *to->device_attr = {CopyText(from->device_attr->name),           CopyText(from->device_attr->device_id),
                      CopyText(from->device_attr->device_version), CopyText(from->device_attr->vendor_id),
                      CopyText(from->device_attr->driver),         CopyText(from->device_attr->firmware)};
  *to->bus_attr = *from->bus_attr;
  *to->link_attr = *from->link_attr;
  to->link_attr->address = CopyText(from->link_attr->address);
  to->link_attr->network_type = CopyText(from->link_attr->network_type);
  *static_cast<struct fid_nic**>(argument) = to;
  return 0;
}

int RefuseBind(struct fid*, struct fid*, uint64_t) {
  return -FI_ENOSYS;
}
int RefuseOpsOpen(struct fid*, const char*, uint64_t, void**, void*) {
  return -FI_ENOSYS;
}
// As libfabric describes its own (fi_info -v); appended to what is in the buffer.
int DescribeNic(const struct fid* fid, char* buffer, size_t length) {
  auto* nic = reinterpret_cast<const struct fid_nic*>(fid);
  const struct fi_device_attr& device = *nic->device_attr;
  const struct fi_bus_attr& bus = *nic->bus_attr;
  const struct fi_link_attr& link = *nic->link_attr;
  auto text = [](const char* value) { return std::string(value ? value : "(null)"); };
  std::string lines = "    nic:\n";
  auto group = [&lines](const char* name) { lines += std::string(8, ' ') + name + ":\n"; };
  auto line = [&lines](const char* name, const std::string& value, size_t indent = 12) {
    lines += std::string(indent, ' ') + name + ": " + value + "\n";
  };
  group("fi_device_attr");
  line("name", text(device.name));
  line("device_id", text(device.device_id));
  line("device_version", text(device.device_version));
  line("vendor_id", text(device.vendor_id));
  line("driver", text(device.driver));
  line("firmware", text(device.firmware));
  group("fi_bus_attr");
  line("bus_type", bus.bus_type == FI_BUS_PCI ? "FI_BUS_PCI" : "FI_BUS_UNKNOWN");
  if (bus.bus_type == FI_BUS_PCI) {
    lines += std::string(12, ' ') + "fi_pci_attr:\n";
    line("domain_id", std::to_string(bus.attr.pci.domain_id), 16);
    line("bus_id", std::to_string(bus.attr.pci.bus_id), 16);
    line("device_id", std::to_string(bus.attr.pci.device_id), 16);
    line("function_id", std::to_string(bus.attr.pci.function_id), 16);
  }
  group("fi_link_attr");
  line("address", text(link.address));
  line("mtu", std::to_string(link.mtu));
  line("speed", std::to_string(link.speed));
  line("state", link.state == FI_LINK_UP     ? "FI_LINK_UP"
                : link.state == FI_LINK_DOWN ? "FI_LINK_DOWN"
                                             : "FI_LINK_UNKNOWN");
  line("network_type", text(link.network_type));
  size_t used = strnlen(buffer, length);
  std::snprintf(buffer + used, length - used, "%s", lines.c_str());
  return 0;
}
int RefuseOpsSet(struct fid*, const char*, uint64_t, void*, void*) {
  return -FI_ENOSYS;
}

struct fi_ops operations = {sizeof(struct fi_ops), CloseNic,    RefuseBind,  ControlNic,
                            RefuseOpsOpen,         DescribeNic, RefuseOpsSet};

// The room of a Padded<T>, zeroed: a newer library copies its own, larger structures.
template <typename T>
T* Allocate() {
  return static_cast<T*>(std::calloc(1, sizeof(Padded<T>)));
}

}  // namespace

struct fid_nic* AllocateNic() {
  auto* nic = Allocate<struct fid_nic>();
  nic->fid.fclass = FI_CLASS_NIC;
  nic->fid.ops = &operations;
  nic->device_attr = Allocate<struct fi_device_attr>();
  nic->bus_attr = Allocate<struct fi_bus_attr>();
  nic->link_attr = Allocate<struct fi_link_attr>();
  return nic;
}

}  // namespace node_libfabric
