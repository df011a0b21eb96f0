#include "info.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>

#include "environment.h"
#include "info_fields.h"
#include "nic.h"
#include "signal_guard.h"

namespace node_libfabric {
namespace {

// C to JavaScript: 64-bit values become bigints and smaller ones numbers, so that nothing is lost.
class Writer {
 public:
  Writer(Napi::Env env, Napi::Object object) : env_(env), object_(object) {}

  template <typename T>
  void Number(const char* name, T& value) {
    if constexpr (sizeof(T) == 8) {
      object_.Set(name, Napi::BigInt::New(env_, static_cast<uint64_t>(value)));
    } else {
      object_.Set(name, Napi::Number::New(env_, static_cast<double>(value)));
    }
  }

  void Text(const char* name, const char* value) {
    if (value) object_.Set(name, Napi::String::New(env_, value));
  }

  template <typename T>
  void Bytes(const char* name, T* value, size_t length) {
    if (value && length)
      object_.Set(name, Napi::Buffer<uint8_t>::Copy(env_, reinterpret_cast<uint8_t*>(value), length));
  }

  template <typename T, typename Visit>
  void Group(const char* name, T* value, Visit visit) {
    if (!value) return;
    auto group = Napi::Object::New(env_);
    Writer writer(env_, group);
    visit(writer, value);
    object_.Set(name, group);
  }

 private:
  Napi::Env env_;
  Napi::Object object_;
};

// JavaScript to C, into structures that the library has allocated: a newer one has allocated its own, larger ones.
class Reader {
 public:
  explicit Reader(Napi::Object object) : object_(object) {}

  template <typename T>
  void Number(const char* name, T& value) {
    Napi::Value given = object_.Get(name);
    if (given.IsBigInt()) {
      bool lossless;
      value = static_cast<T>(given.As<Napi::BigInt>().Uint64Value(&lossless));
    } else if (given.IsNumber()) {
      value = static_cast<T>(given.As<Napi::Number>().Int64Value());
    }
  }

  void Text(const char* name, char*& value) {
    Napi::Value given = object_.Get(name);
    if (!given.IsString()) return;
    std::free(value);
    value = strdup(given.As<Napi::String>().Utf8Value().c_str());
  }

  template <typename T>
  void Bytes(const char* name, T*& value, size_t& length) {
    Napi::Value given = object_.Get(name);
    if (!given.IsTypedArray()) return;
    auto bytes = given.As<Napi::Uint8Array>();
    std::free(value);
    length = bytes.ByteLength();
    value = static_cast<T*>(std::calloc(1, length));
    std::memcpy(value, bytes.Data(), length);
  }

  template <typename T, typename Visit>
  void Group(const char* name, T*& value, Visit visit) {
    Napi::Value given = object_.Get(name);
    if (!given.IsObject()) return;
    if constexpr (std::is_same_v<T, struct fid_nic>) {
      if (!value) value = AllocateNic();
    }
    Reader reader(given.As<Napi::Object>());
    visit(reader, value);
  }

 private:
  Napi::Object object_;
};

// int fi_getinfo(uint32_t version, const char *node, const char *service, uint64_t flags, const struct fi_info *hints,
//                struct fi_info **info)
Napi::Value InfoGet(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string node = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  std::string service = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  bool lossless;
  uint64_t flags = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
  InfoPointer hints;
  if (info[3].IsObject()) hints = InfoFromObject(info[3].As<Napi::Object>());
  struct fi_info* found = nullptr;
  int result;
  {
    std::lock_guard<std::mutex> guard(DiscoveryLock());
    SignalGuard signals(SignalGuard::Restore::kAll);  // the first call initialises the providers
    result = fi_getinfo(LoadLibfabric(nullptr)->ApiVersion(), info[0].IsString() ? node.c_str() : nullptr,
                        info[1].IsString() ? service.c_str() : nullptr, flags, hints.get(), &found);
  }
  if (result) return Napi::Number::New(env, result);
  InfoPointer list(found);
  auto infos = Napi::Array::New(env);
  for (struct fi_info* item = list.get(); item; item = item->next) {
    infos.Set(infos.Length(), ObjectFromInfo(env, item));
  }
  return infos;
}

}  // namespace

Napi::Object ObjectFromInfo(Napi::Env env, struct fi_info* info) {
  auto object = Napi::Object::New(env);
  Writer writer(env, object);
  VisitInfo(writer, info);
  return object;
}

InfoPointer InfoFromObject(const Napi::Object& object) {
  InfoPointer info(fi_allocinfo());
  if (!info) throw std::bad_alloc();
  Reader reader(object);
  VisitInfo(reader, info.get());
  return info;
}

InfoPointer InfoArgument(const Napi::Value& value, const InfoPointer& parents) {
  if (value.IsObject()) return InfoFromObject(value.As<Napi::Object>());
  // struct fi_info *fi_dupinfo(const struct fi_info *info)
  InfoPointer copy(fi_dupinfo(parents.get()));
  if (!copy) throw std::bad_alloc();
  return copy;
}

void ExportInfo(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "infoGet", InfoGet);
}

}  // namespace node_libfabric
