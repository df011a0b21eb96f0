#include "mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "environment.h"

namespace node_libfabric {
namespace {

// What an ArrayBuffer holds. The environment may be gone before it, so it is reached through a pointer that the
// environment clears.
struct Lease {
  std::shared_ptr<Mapping> mapping;
  std::shared_ptr<Mappings*> mappings;
  void* start;
  int64_t length;
};

void EndLease(napi_env env, void*, void* hint) {
  auto* lease = static_cast<Lease*>(hint);
  int64_t total;
  napi_adjust_external_memory(env, -lease->length, &total);
  if (*lease->mappings) (*lease->mappings)->Remove(lease->start);
  delete lease;
}

size_t RoundUp(size_t value, size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// The size of the kernel's default huge pages, 0 without any.
size_t HugePageSize() {
  size_t kibibytes = 0;
  if (FILE* file = std::fopen("/proc/meminfo", "re")) {
    char line[128];
    while (std::fgets(line, sizeof(line), file)) {
      if (std::sscanf(line, "Hugepagesize: %zu kB", &kibibytes) == 1) break;
    }
    std::fclose(file);
  }
  return kibibytes * 1024;
}

// memoryAllocate(length, alignment, hugePages): ArrayBuffer | number
// -FI_ENOMEM when there are no such pages; -FI_ENOSYS on a runtime that takes no memory but its own.
Napi::Value MemoryAllocate(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Environment& environment = EnvironmentOf(info);
  auto length = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
  auto alignment = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  bool is_huge = info[2].As<Napi::Boolean>();
  size_t page = is_huge ? HugePageSize() : static_cast<size_t>(sysconf(_SC_PAGESIZE));
  if (page == 0) return Napi::Number::New(env, -FI_ENOMEM);
  // Alignment beyond a page takes as much more as the start may have to move.
  size_t mapped = RoundUp(length, page) + (alignment > page ? alignment : 0);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | (is_huge ? MAP_HUGETLB : 0);
  void* pages = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (pages == MAP_FAILED) return Napi::Number::New(env, -errno);
  auto mapping = std::make_shared<Mapping>(pages, mapped);
  void* start = reinterpret_cast<void*>(RoundUp(reinterpret_cast<uintptr_t>(pages), alignment));
  auto* lease = new Lease{mapping, environment.mappings_pointer, start, static_cast<int64_t>(length)};
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, start, length, EndLease, lease, &buffer) != napi_ok) {
    delete lease;
    return Napi::Number::New(env, -FI_ENOSYS);
  }
  environment.mappings.Add(start, mapping);
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(length), &total);
  return Napi::Value(env, buffer);
}

}  // namespace

Mapping::~Mapping() {
  munmap(pages_, mapped_);
}

void ExportMapping(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "memoryAllocate", MemoryAllocate);
}

}  // namespace node_libfabric
