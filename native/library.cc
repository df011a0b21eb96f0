// libfabric.cc for JavaScript: which library was loaded, and its texts.
#include "environment.h"
#include "libfabric.h"

namespace node_libfabric {
namespace {

Napi::Value VersionText(Napi::Env env, uint32_t version) {
  return Napi::String::New(env, std::to_string(FI_MAJOR(version)) + "." + std::to_string(FI_MINOR(version)));
}

// libraryLoad(): { path?, source?, version?, apiVersion?, headers, attempts }, without a path when there is none.
Napi::Value LibraryLoad(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<LoadAttempt> failed;
  const Libfabric* library = LoadLibfabric(&failed);
  auto result = Napi::Object::New(env);
  result.Set("headers", VersionText(env, kHeaderVersion));
  if (library) {
    result.Set("path", library->path);
    result.Set("source", library->source);
    result.Set("version", VersionText(env, library->version));
    result.Set("apiVersion", VersionText(env, library->ApiVersion()));
  }
  auto attempts = Napi::Array::New(env);
  for (const LoadAttempt& attempt : library ? library->attempts : failed) {
    auto entry = Napi::Object::New(env);
    entry.Set("source", attempt.source);
    entry.Set("place", attempt.place);
    if (!attempt.error.empty()) entry.Set("error", attempt.error);
    attempts.Set(attempts.Length(), entry);
  }
  result.Set("attempts", attempts);
  return result;
}

// const char *fi_strerror(int errnum)
Napi::Value LibraryStrerror(const Napi::CallbackInfo& info) {
  if (!LoadLibfabric(nullptr)) return info.Env().Undefined();
  return Napi::String::New(info.Env(), fi_strerror(info[0].As<Napi::Number>().Int32Value()));
}

}  // namespace

void ExportLibrary(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "libraryLoad", LibraryLoad);
  Export(env, exports, environment, "libraryStrerror", LibraryStrerror);
}

}  // namespace node_libfabric
