#include "address_vector.h"

#include <algorithm>

#include "close.h"
#include "environment.h"
#include "padded.h"

namespace node_libfabric {
namespace {

AddressVector* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).address_vectors.Get(info[0].As<Napi::Number>().Int32Value());
}

// int fi_av_open(struct fid_domain *domain, struct fi_av_attr *attr, struct fid_av **av, void *context)
Napi::Value AddressVectorOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Domain* domain = environment.domains.Get(info[0].As<Napi::Number>().Int32Value());
  if (!domain) return Napi::Number::New(info.Env(), -FI_EBADF);
  Padded<struct fi_av_attr> attr;
  attr->type = static_cast<enum fi_av_type>(info[1].As<Napi::Number>().Int32Value());
  attr->count = info[2].As<Napi::Number>().Uint32Value();
  attr->rx_ctx_bits = info[3].As<Napi::Number>().Int32Value();
  struct fid_av* fid = nullptr;
  int result = fi_av_open(domain->fid, attr.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  return Napi::Number::New(info.Env(), environment.address_vectors.Add(std::make_unique<AddressVector>(domain, fid)));
}

// int fi_av_insert(struct fid_av *av, const void *addr, size_t count, fi_addr_t *fi_addr, uint64_t flags, void
// *context) The bytes were checked against the domain's address format in TypeScript: providers read as many as that
// says.
Napi::Value AddressVectorInsert(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[1].As<Napi::Uint8Array>();
  // FI_ADDR_STR is read up to its NUL, and a copy bounds that whatever the caller sent.
  std::vector<uint8_t> address(bytes.Data(), bytes.Data() + bytes.ByteLength());
  address.resize(std::max<size_t>(address.size() + 1, 256));
  if (av->domain->fabric->is_shared_memory &&
      !shared_memory::IsReachable(reinterpret_cast<const char*>(address.data()))) {
    return Napi::Number::New(info.Env(), -FI_ECONNREFUSED);
  }
  fi_addr_t inserted = FI_ADDR_NOTAVAIL;
  int count = fi_av_insert(av->fid, address.data(), 1, &inserted, 0, nullptr);
  if (count < 0) return Napi::Number::New(info.Env(), count);
  if (count != 1 || inserted == FI_ADDR_NOTAVAIL) return Napi::Number::New(info.Env(), -FI_EADDRNOTAVAIL);
  return Napi::Number::New(info.Env(), av->Add(inserted));
}

// int fi_av_remove(struct fid_av *av, fi_addr_t *fi_addr, size_t count, uint64_t flags)
Napi::Value AddressVectorRemove(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  int32_t index = info[1].As<Napi::Number>().Int32Value();
  fi_addr_t address;
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!av->Find(index, &address)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  int result = fi_av_remove(av->fid, &address, 1, 0);
  if (!result) av->Forget(index);
  return Napi::Number::New(info.Env(), result);
}

// int fi_av_lookup(struct fid_av *av, fi_addr_t fi_addr, void *addr, size_t *addrlen)
Napi::Value AddressVectorLookup(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  fi_addr_t address;
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  if (!av->Find(info[1].As<Napi::Number>().Int32Value(), &address)) return Napi::Number::New(info.Env(), -FI_EINVAL);
  uint8_t bytes[1024];
  size_t length = sizeof(bytes);
  int result = fi_av_lookup(av->fid, address, bytes, &length);
  if (result && result != -FI_ETOOSMALL) return Napi::Number::New(info.Env(), result);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), bytes, std::min(length, sizeof(bytes)));
}

// const char *fi_av_straddr(struct fid_av *av, const void *addr, char *buf, size_t *len)
Napi::Value AddressVectorText(const Napi::CallbackInfo& info) {
  AddressVector* av = Find(info);
  if (!av) return Napi::Number::New(info.Env(), -FI_EBADF);
  auto bytes = info[1].As<Napi::Uint8Array>();
  std::vector<uint8_t> address(bytes.Data(), bytes.Data() + bytes.ByteLength());
  address.resize(std::max<size_t>(address.size() + 1, 256));
  char text[1024] = "";
  size_t length = sizeof(text) - 1;
  fi_av_straddr(av->fid, address.data(), text, &length);
  return Napi::String::New(info.Env(), text);
}

// int fi_close(struct fid *fid)
Napi::Value AddressVectorClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).address_vectors,
                     [](AddressVector& av) { return av.domain->Close(&av.fid->fid); });
}

}  // namespace

void ExportAddressVector(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "addressVectorOpen", AddressVectorOpen);
  Export(env, exports, environment, "addressVectorInsert", AddressVectorInsert);
  Export(env, exports, environment, "addressVectorRemove", AddressVectorRemove);
  Export(env, exports, environment, "addressVectorLookup", AddressVectorLookup);
  Export(env, exports, environment, "addressVectorText", AddressVectorText);
  Export(env, exports, environment, "addressVectorClose", AddressVectorClose);
}

}  // namespace node_libfabric
