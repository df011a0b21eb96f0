// Addresses and private data on their way between JavaScript and fi_cm(3).
#pragma once

#include <napi.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>

#include <cstring>

namespace node_libfabric {

// A Uint8Array, or nothing.
struct BytesArgument {
  explicit BytesArgument(const Napi::Value& value) {
    if (!value.IsTypedArray()) return;
    auto array = value.As<Napi::Uint8Array>();
    bytes = array.Data();
    length = array.ByteLength();
  }

  const void* bytes = nullptr;
  size_t length = 0;
};

// Providers read as many bytes as the address format has: what JavaScript gave is followed by zeros.
struct AddressArgument {
  explicit AddressArgument(const Napi::Value& value) {
    BytesArgument given(value);
    length = given.length < sizeof(bytes) ? given.length : sizeof(bytes);
    if (length > 0) std::memcpy(bytes, given.bytes, length);
  }

  uint8_t bytes[1024] = {};
  size_t length;
};

// The address that `get(address, length)` gives, as a Buffer; a negative libfabric code when it gives none.
template <typename Get>
Napi::Value AddressResult(Napi::Env env, Get get) {
  uint8_t address[1024];
  size_t length = sizeof(address);
  int result = get(address, &length);
  if (result) return Napi::Number::New(env, result);
  return Napi::Buffer<uint8_t>::Copy(env, address, length);
}

// How many bytes of private data a connection request or its answer carries; a negative code where nobody knows.
inline double ConnectionDataSize(struct fid* fid) {
  size_t size = 0;
  size_t length = sizeof(size);
  int result = fi_getopt(fid, FI_OPT_ENDPOINT, FI_OPT_CM_DATA_SIZE, &size, &length);
  return result ? result : static_cast<double>(size);
}

// Private data, no longer than `fid` says that it takes: tcp (1.17) copies it to an array on its stack in fi_reject,
// and in fi_accept to one in a structure, without looking.
struct ConnectionData : BytesArgument {
  ConnectionData(const Napi::Value& value, struct fid* fid)
      : BytesArgument(value), fits(length == 0 || static_cast<double>(length) <= ConnectionDataSize(fid)) {}

  bool fits;
};

}  // namespace node_libfabric
