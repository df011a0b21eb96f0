// struct fid_av_set: some addresses of a vector, in an order that gives each member of a collective its rank.
#pragma once

#include <rdma/fi_collective.h>

#include <memory>
#include <vector>

#include "address_vector.h"

namespace node_libfabric {

// Shared by JavaScript's object and by the groups that were joined with it, whose operations read it.
struct AddressVectorSet {
  AddressVectorSet(AddressVector* parent, struct fid_av_set* set) : av(parent), fid(set) {
    av->children++;
    av->sets.push_back(&members);
  }
  ~AddressVectorSet() {
    av->domain->Close(&fid->fid);
    av->sets.erase(std::find(av->sets.begin(), av->sets.end(), &members));
    av->children--;
  }
  AddressVectorSet(const AddressVectorSet&) = delete;
  AddressVectorSet& operator=(const AddressVectorSet&) = delete;

  AddressVector* av;
  struct fid_av_set* fid;
  std::vector<fi_addr_t> members;  // as the provider has them: the index is the rank
  int groups = 0;                  // joined with it: its members stay as they are
};

// What a handle stands for.
struct AddressVectorSetReference {
  std::shared_ptr<AddressVectorSet> set;
};

}  // namespace node_libfabric
