// struct fid_av. A fi_addr_t has 64 bits (a pointer, with FI_AV_MAP), too many for a JavaScript number: JavaScript gets
// an index into the vector kept here, whatever the type of the address vector.
#pragma once

#include <rdma/fi_domain.h>

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "domain.h"

namespace node_libfabric {

struct AddressVector {
  AddressVector(Domain* parent, struct fid_av* av) : domain(parent), fid(av) {
    domain->children++;
    if (domain->fabric->is_shared_memory) shared_memory::VectorOpened();
  }
  ~AddressVector() {
    if (fid) Close();
    domain->children--;
  }
  AddressVector(const AddressVector&) = delete;
  AddressVector& operator=(const AddressVector&) = delete;

  // int fi_close(struct fid *fid)
  int Close() const {
    return domain->fabric->is_shared_memory ? shared_memory::CloseVector(&fid->fid) : domain->Close(&fid->fid);
  }

  bool Find(int32_t index, fi_addr_t* address) const {
    if (index < 0 || static_cast<size_t>(index) >= addresses.size()) return false;
    *address = addresses[static_cast<size_t>(index)];
    return *address != FI_ADDR_NOTAVAIL;
  }

  int32_t IndexOf(fi_addr_t address) const {
    // Most providers count as we do.
    if (address < addresses.size() && addresses[address] == address) return static_cast<int32_t>(address);
    auto found = indices.find(address);
    return found == indices.end() ? -1 : found->second.index;
  }

  bool IsInSet(fi_addr_t address) const {
    for (auto* members : sets) {
      if (std::find(members->begin(), members->end(), address) != members->end()) return true;
    }
    return false;
  }

  // fi_av_insert(3) and fi_av_remove(3) of one peer of the shm provider, and how many indices a peer has.
  //
  // The provider keeps a peer once, however often it is inserted; and when it is removed, unmaps its memory, where the
  // next message of that peer still looks (libfabric 1.17: smr_map_del). So each is inserted once, and removed only to
  // make room.
  int InsertName(const std::string& name, fi_addr_t* address);
  void ReleaseName(fi_addr_t address);

  // The index under which JavaScript knows `address` from now on.
  int32_t Add(fi_addr_t address) {
    int32_t index;
    if (free.empty()) {
      index = static_cast<int32_t>(addresses.size());
      addresses.push_back(address);
    } else {
      index = free.back();
      free.pop_back();
      addresses[static_cast<size_t>(index)] = address;
    }
    Way& way = indices[address];
    way.index = index;
    way.uses++;
    return index;
  }

  void Forget(int32_t index) {
    fi_addr_t address = std::exchange(addresses[static_cast<size_t>(index)], FI_ADDR_NOTAVAIL);
    Way& way = indices[address];
    if (--way.uses == 0) {
      indices.erase(address);
    } else if (way.index == index) {
      // Inserted twice, it has another index.
      way.index = static_cast<int32_t>(std::find(addresses.begin(), addresses.end(), address) - addresses.begin());
    }
    free.push_back(index);
  }

  // Removes every peer, and with them what waits to be sent to them.
  //
  // int fi_av_remove(struct fid_av *av, fi_addr_t *fi_addr, size_t count, uint64_t flags)
  void ForgetAll() {
    for (size_t index = 0; index < addresses.size(); index++) {
      fi_addr_t address = addresses[index];
      if (address == FI_ADDR_NOTAVAIL) continue;
      Forget(static_cast<int32_t>(index));
      // inserted twice, it goes with the last
      if (indices.count(address) == 0) fi_av_remove(fid, &address, 1, 0);
    }
  }

  Domain* domain;
  struct fid_av* fid;
  std::vector<fi_addr_t> addresses;  // by index; FI_ADDR_NOTAVAIL where removed
  std::vector<int32_t> free;
  // The way back, for the source of a message: one index, of those that an address has.
  struct Way {
    int32_t index;
    int32_t uses = 0;
  };
  std::unordered_map<fi_addr_t, Way> indices;
  std::vector<const std::vector<fi_addr_t>*> sets;  // members of each open set of these addresses
  int children = 0;                                 // bound endpoints, open sets

 private:
  struct Name {
    fi_addr_t address;
    int uses;
  };
  std::unordered_map<std::string, Name> names_;
  std::deque<std::string> unused_;  // the longest so first
};

}  // namespace node_libfabric
