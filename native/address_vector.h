// struct fid_av. A fi_addr_t has 64 bits (a pointer, with FI_AV_MAP), too many for a JavaScript number: JavaScript gets
// an index into the vector kept here, whatever the type of the address vector.
#pragma once

#include <rdma/fi_domain.h>

#include <vector>

#include "domain.h"

namespace node_libfabric {

struct AddressVector {
  AddressVector(Domain* parent, struct fid_av* av) : domain(parent), fid(av) { domain->children++; }
  ~AddressVector() {
    if (fid) domain->Close(&fid->fid);
    domain->children--;
  }
  AddressVector(const AddressVector&) = delete;
  AddressVector& operator=(const AddressVector&) = delete;

  bool Find(int32_t index, fi_addr_t* address) const {
    if (index < 0 || static_cast<size_t>(index) >= addresses.size()) return false;
    *address = addresses[static_cast<size_t>(index)];
    return *address != FI_ADDR_NOTAVAIL;
  }

  Domain* domain;
  struct fid_av* fid;
  std::vector<fi_addr_t> addresses;  // by index; FI_ADDR_NOTAVAIL where removed
  std::vector<int32_t> free;
  int children = 0;  // bound endpoints
};

}  // namespace node_libfabric
