#include "nic.h"

#include <rdma/fi_errno.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>

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
int NoText(const struct fid*, char*, size_t) {
  return -FI_ENOSYS;
}
int RefuseOpsSet(struct fid*, const char*, uint64_t, void*, void*) {
  return -FI_ENOSYS;
}

struct fi_ops operations = {sizeof(struct fi_ops), CloseNic, RefuseBind,  ControlNic,
                            RefuseOpsOpen,         NoText,   RefuseOpsSet};

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
