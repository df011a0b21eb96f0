// An attribute structure followed by zeros. Structures that the application allocates have grown at their end between
// libfabric versions, and a newer library reads its own size: it must find zeros there, not our stack.
#pragma once

#include <cstring>

namespace node_libfabric {

template <typename T>
class Padded {
 public:
  Padded() { std::memset(bytes_, 0, sizeof(bytes_)); }
  T* get() { return reinterpret_cast<T*>(bytes_); }
  T* operator->() { return get(); }

 private:
  alignas(T) unsigned char bytes_[sizeof(T) + 128];
};

}  // namespace node_libfabric
