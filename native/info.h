// struct fi_info to JavaScript and back.
#pragma once

#include <napi.h>
#include <rdma/fabric.h>

#include <memory>

#include "libfabric.h"

namespace node_libfabric {

struct InfoDeleter {
  void operator()(struct fi_info* info) const { fi_freeinfo(info); }
};
using InfoPointer = std::unique_ptr<struct fi_info, InfoDeleter>;

// Builds an fi_info from an object of raw values (lib/info.ts makes it of a readable one). Fields left out are zero.
InfoPointer InfoFromObject(const Napi::Object& object);

// The same of an argument; where it is undefined, a copy of the parent's, which takes a tenth of the time.
InfoPointer InfoArgument(const Napi::Value& value, const InfoPointer& parents);

// The same the other way: every field of `info` as a raw value.
Napi::Object ObjectFromInfo(Napi::Env env, struct fi_info* info);

}  // namespace node_libfabric
