// Finds libfabric at run time and holds its few real symbols.
//
// Everything else in libfabric's API is `static inline` through operation tables, so that once these
// symbols are resolved (see the trampolines in libfabric.cc) the headers can be used as they are.
#pragma once

#include <rdma/fabric.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace node_libfabric {

// One place where libfabric was looked for.
struct LoadAttempt {
  std::string source;  // environment, mapped, efa-installer, system, bundled
  std::string place;   // what was given to dlopen
  std::string error;   // empty when it was taken
};

struct Libfabric {
  std::string path;
  std::string source;
  uint32_t version;  // fi_version()
  std::vector<LoadAttempt> attempts;

  struct fi_info* (*dupinfo)(const struct fi_info*);
  void (*freeinfo)(struct fi_info*);
  int (*getinfo)(uint32_t, const char*, const char*, uint64_t, const struct fi_info*, struct fi_info**);
  int (*fabric)(struct fi_fabric_attr*, struct fid_fabric**, void*);
  uint32_t (*get_version)();
  const char* (*strerror)(int);
  char* (*tostr_r)(char*, size_t, const void*, enum fi_type);
  int (*getparams)(struct fi_param**, int*);
  void (*freeparams)(struct fi_param*);
  int (*open)(uint32_t, const char*, void*, size_t, uint64_t, struct fid**, void*);  // nullptr before 1.9

  // The API version to ask for: what the library has, but never newer than what was tested. (Asking for 1.17 only would
  // make newer efa providers leave device RDMA off.)
  uint32_t ApiVersion() const;
};

// The process's libfabric, loaded by the first caller; nullptr when there is none, with what was tried in `attempts`.
// A failure is not remembered: the library may be installed, or NODE_LIBFABRIC_LIBRARY set, while the process lives.
const Libfabric* LoadLibfabric(std::vector<LoadAttempt>* attempts);

// fi_getinfo crashes when several threads are in it at once (libfabric issue 5860): worker threads take this lock.
std::mutex& DiscoveryLock();

// The headers that this addon was built against.
constexpr uint32_t kHeaderVersion = FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION);

}  // namespace node_libfabric
