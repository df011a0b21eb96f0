// struct fid_mc: what an endpoint has joined, for collectives or for multicast. The endpoint owns it: a collective's
// operations read it until the endpoint is closed, a multicast group needs the endpoint's socket to be left.
#pragma once

#include <rdma/fi_cm.h>
#include <rdma/fi_eq.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "address_vector_set.h"

namespace node_libfabric {

struct Group {
  struct fid_mc* fid;
  std::shared_ptr<AddressVectorSet> set;  // of a collective; empty for multicast
  bool is_joined = false;
  bool is_left = false;      // JavaScript has closed it
  std::string address = {};  // of a multicast group

  bool IsCollective() const { return set != nullptr; }
};

class Groups {
 public:
  // Addresses from here on are groups, to JavaScript: the index of a multicast group where a message is sent to.
  static constexpr int32_t kFirstAddress = 1 << 30;

  // How many there have been: numbers are not used again.
  int32_t Add(Group group) {
    groups_.push_back(std::move(group));
    return static_cast<int32_t>(groups_.size() - 1);
  }

  Group* Get(int32_t number) {
    bool exists = number >= 0 && static_cast<size_t>(number) < groups_.size();
    return exists && !groups_[static_cast<size_t>(number)].is_left ? &groups_[static_cast<size_t>(number)] : nullptr;
  }

  bool HasJoined(const std::string& address) const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [&](const Group& group) { return group.fid && !group.is_left && group.address == address; });
  }

  // int fi_close(struct fid *fid)
  int Leave(Group* group) {
    int result = group->fid ? fi_close(&group->fid->fid) : 0;
    if (result && !group->IsCollective()) is_stuck = true;
    Drop(group);
    return result;
  }

  // Before the endpoint is closed, and after it.
  void LeaveMulticast() {
    for (Group& group : groups_) {
      if (group.fid && !group.IsCollective()) Leave(&group);
    }
  }
  void LeaveCollectives() {
    for (Group& group : groups_) {
      if (group.fid) Leave(&group);
    }
    if (events) fi_close(&events->fid);
    events = nullptr;
  }

  // A group could not be left, and holds the endpoint for good: libfabric 1.17's udp forgets to let go where joining
  // had failed.
  bool is_stuck = false;

  // ssize_t fi_eq_read(struct fid_eq *eq, uint32_t *event, void *buf, size_t len, uint64_t flags)
  // Where the provider says that a group was joined. Of the endpoint alone, and read while something joins.
  struct fid_eq* events = nullptr;

 private:
  static void Drop(Group* group) {
    group->fid = nullptr;
    group->is_left = true;
    if (group->set) group->set->groups--;
    group->set.reset();
  }

  std::vector<Group> groups_;
};

}  // namespace node_libfabric
