// Memory of our own for JavaScript: mapped pages, aligned as asked, huge where wanted.
//
// V8 owns an external ArrayBuffer's bytes as it owns any other's, but Node frees them when the environment ends, before
// this addon has closed the endpoints that may still write to them. So the pages belong to a Mapping, which both the
// ArrayBuffer and the Memory hold.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

namespace node_libfabric {

class Mapping {
 public:
  Mapping(void* pages, size_t mapped) : pages_(pages), mapped_(mapped) {}
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

 private:
  void* pages_;
  size_t mapped_;
};

// The mappings of an environment by the address that JavaScript sees.
class Mappings {
 public:
  void Add(void* start, const std::shared_ptr<Mapping>& mapping) { entries_[start] = mapping; }
  std::shared_ptr<Mapping> Find(void* start) const {
    auto found = entries_.find(start);
    return found == entries_.end() ? nullptr : found->second.lock();
  }
  void Remove(void* start) { entries_.erase(start); }

 private:
  std::unordered_map<void*, std::weak_ptr<Mapping>> entries_;
};

}  // namespace node_libfabric
