#include "libfabric.h"

#include <dlfcn.h>
#include <link.h>
#include <rdma/fi_errno.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "signal_guard.h"

namespace node_libfabric {
namespace {

// libfabric versions its symbols, and a plain dlsym takes the newest: on a 2.x library that means structures larger
// than those of older headers. The versions asked for are those of the headers compiled in; later libraries keep them.
#if FI_MAJOR_VERSION > 2 || (FI_MAJOR_VERSION == 2 && FI_MINOR_VERSION >= 1)
constexpr const char* kInfoSymbolVersion = "FABRIC_1.8";
#elif FI_MAJOR_VERSION == 2
constexpr const char* kInfoSymbolVersion = "FABRIC_1.7";
#else
constexpr const char* kInfoSymbolVersion = "FABRIC_1.3";
#endif

constexpr uint32_t kNewestTestedVersion = FI_VERSION(2, 1);

std::mutex load_lock;
Libfabric* loaded = nullptr;  // never destroyed: threads may outlive static objects

struct Candidate {
  std::string source;
  std::string place;
};

int CollectMapped(struct dl_phdr_info* object, size_t, void* out) {
  const char* slash = std::strrchr(object->dlpi_name, '/');
  const char* name = slash ? slash + 1 : object->dlpi_name;
  // "libfabric.so.1", and the names that bundlers give to copies ("libfabric-1a2b3c.so.1").
  if (std::strncmp(name, "libfabric", 9) == 0 && (name[9] == '.' || name[9] == '-')) {
    static_cast<std::vector<Candidate>*>(out)->push_back({"mapped", object->dlpi_name});
  }
  return 0;
}

std::string DirectoryOfThisAddon() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&CollectMapped), &info) || !info.dli_fname) return ".";
  std::string path = info.dli_fname;
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Where to look, first hit wins. An explicit choice stands alone: when it is wrong the user wants to hear of it, not
// get another library. A copy that is already in the process comes next, since two copies make each other's devices
// vanish.
std::vector<Candidate> Candidates() {
  const char* chosen = std::getenv("NODE_LIBFABRIC_LIBRARY");
  if (chosen && *chosen) return {{"environment", chosen}};
  std::vector<Candidate> all;
  dl_iterate_phdr(CollectMapped, &all);
  all.push_back({"efa-installer", "/opt/amazon/efa/lib64/libfabric.so.1"});
  all.push_back({"efa-installer", "/opt/amazon/efa/lib/libfabric.so.1"});
  all.push_back({"system", "libfabric.so.1"});
  all.push_back({"bundled", DirectoryOfThisAddon() + "/libfabric.so.1"});
  return all;
}

template <typename Function>
bool Resolve(void* library, const char* name, const char* version, Function* out, std::string* error) {
  *out = reinterpret_cast<Function>(dlvsym(library, name, version));
  if (!*out) *error = std::string("has no ") + name + "@" + version;
  return *out != nullptr;
}

// What the loader says, without the file name in front, which the attempt names already.
std::string LoaderError(const std::string& place) {
  const char* text = dlerror();
  std::string error = text ? text : "unknown error";
  if (error.rfind(place + ": ", 0) == 0) error.erase(0, place.size() + 2);
  return error;
}

bool TryLoad(const Candidate& candidate, Libfabric* library, std::string* error) {
  SignalGuard guard(SignalGuard::Restore::kAll);
  void* handle = dlopen(candidate.place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    *error = LoaderError(candidate.place);
    return false;
  }
  if (!Resolve(handle, "fi_dupinfo", kInfoSymbolVersion, &library->dupinfo, error) ||
      !Resolve(handle, "fi_freeinfo", kInfoSymbolVersion, &library->freeinfo, error) ||
      !Resolve(handle, "fi_getinfo", kInfoSymbolVersion, &library->getinfo, error) ||
      !Resolve(handle, "fi_fabric", "FABRIC_1.1", &library->fabric, error) ||
      !Resolve(handle, "fi_version", "FABRIC_1.0", &library->get_version, error) ||
      !Resolve(handle, "fi_strerror", "FABRIC_1.0", &library->strerror, error) ||
      !Resolve(handle, "fi_tostr_r", "FABRIC_1.4", &library->tostr_r, error) ||
      !Resolve(handle, "fi_getparams", "FABRIC_1.0", &library->getparams, error) ||
      !Resolve(handle, "fi_freeparams", "FABRIC_1.0", &library->freeparams, error)) {
    dlclose(handle);
    return false;
  }
  library->open = reinterpret_cast<decltype(library->open)>(dlvsym(handle, "fi_open", "FABRIC_1.5"));
  Dl_info where;
  bool known = dladdr(reinterpret_cast<void*>(library->getinfo), &where) && where.dli_fname;
  library->path = known ? where.dli_fname : candidate.place;
  if (char* resolved = realpath(library->path.c_str(), nullptr)) {
    library->path = resolved;
    std::free(resolved);
  }
  library->source = candidate.source;
  library->version = library->get_version();
  return true;
}

}  // namespace

uint32_t Libfabric::ApiVersion() const {
  return FI_VERSION_LT(version, kNewestTestedVersion) ? version : kNewestTestedVersion;
}

const Libfabric* LoadLibfabric(std::vector<LoadAttempt>* attempts) {
  std::lock_guard<std::mutex> guard(load_lock);
  if (loaded) return loaded;
  Libfabric library{};
  for (const Candidate& candidate : Candidates()) {
    std::string error;
    bool ok = TryLoad(candidate, &library, &error);
    library.attempts.push_back({candidate.source, candidate.place, error});
    if (ok) {
      // Never unloaded: providers start threads and register exit handlers of their own.
      loaded = new Libfabric(std::move(library));
      return loaded;
    }
  }
  if (attempts) *attempts = std::move(library.attempts);
  return nullptr;
}

std::mutex& DiscoveryLock() {
  static std::mutex lock;
  return lock;
}

}  // namespace node_libfabric

// The real symbols that the headers' inline functions call, sent on to the library. They are reached only through
// objects of a loaded libfabric, and are hidden, so that they never stand in for another library's.
using node_libfabric::LoadLibfabric;

extern "C" {

struct fi_info* fi_dupinfo(const struct fi_info* info) {
  return LoadLibfabric(nullptr)->dupinfo(info);
}

void fi_freeinfo(struct fi_info* info) {
  LoadLibfabric(nullptr)->freeinfo(info);
}

int fi_getinfo(uint32_t version, const char* node, const char* service, uint64_t flags, const struct fi_info* hints,
               struct fi_info** info) {
  return LoadLibfabric(nullptr)->getinfo(version, node, service, flags, hints, info);
}

int fi_fabric(struct fi_fabric_attr* attr, struct fid_fabric** fabric, void* context) {
  return LoadLibfabric(nullptr)->fabric(attr, fabric, context);
}

const char* fi_strerror(int error) {
  return LoadLibfabric(nullptr)->strerror(error);
}

char* fi_tostr_r(char* buffer, size_t length, const void* data, enum fi_type type) {
  return LoadLibfabric(nullptr)->tostr_r(buffer, length, data, type);
}

int fi_getparams(struct fi_param** parameters, int* count) {
  return LoadLibfabric(nullptr)->getparams(parameters, count);
}

void fi_freeparams(struct fi_param* parameters) {
  LoadLibfabric(nullptr)->freeparams(parameters);
}

int fi_open(uint32_t version, const char* name, void* attributes, size_t length, uint64_t flags, struct fid** fid,
            void* context) {
  auto open = LoadLibfabric(nullptr)->open;
  return open ? open(version, name, attributes, length, flags, fid, context) : -FI_ENOSYS;
}

}  // extern "C"
