#include "forgotten_requests.h"

#include <dirent.h>
#include <netinet/in.h>
#include <rdma/fi_cm.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace node_libfabric {
namespace {

constexpr int kMostLooks = 100;
constexpr long kNanosecondsBetweenLooks = 200'000;

// Whether a socket with the address `own` was accepted by a listener with the address `listener`.
bool IsOf(const struct sockaddr_storage& listener, const struct sockaddr_storage& own) {
  if (listener.ss_family != own.ss_family) return false;
  if (own.ss_family == AF_INET) {
    auto& wanted = reinterpret_cast<const struct sockaddr_in&>(listener);
    auto& given = reinterpret_cast<const struct sockaddr_in&>(own);
    bool is_there = wanted.sin_addr.s_addr == INADDR_ANY || wanted.sin_addr.s_addr == given.sin_addr.s_addr;
    return is_there && wanted.sin_port == given.sin_port;
  }
  if (own.ss_family != AF_INET6) return false;
  auto& wanted = reinterpret_cast<const struct sockaddr_in6&>(listener);
  auto& given = reinterpret_cast<const struct sockaddr_in6&>(own);
  bool is_there = IN6_IS_ADDR_UNSPECIFIED(&wanted.sin6_addr) || IN6_ARE_ADDR_EQUAL(&wanted.sin6_addr, &given.sin6_addr);
  return is_there && wanted.sin6_port == given.sin6_port;
}

}  // namespace

ForgottenRequests::ForgottenRequests(struct fid* listener) {
  char name[sizeof(struct sockaddr_storage)];
  size_t length = sizeof(name);
  // int fi_getname(fid_t fid, void *addr, size_t *addrlen)
  if (!fi_getname(listener, name, &length)) name_.assign(name, length);
}

template <typename Visit>
void ForgottenRequests::ForEachSocket(Visit visit) const {
  struct sockaddr_storage listener = {};
  std::memcpy(&listener, name_.data(), name_.size());
  DIR* directory = name_.empty() ? nullptr : opendir("/proc/self/fd");
  if (!directory) return;
  while (const struct dirent* entry = readdir(directory)) {
    int number = std::atoi(entry->d_name);
    struct sockaddr_storage own = {};
    socklen_t length = sizeof(own);
    if (getsockname(number, reinterpret_cast<struct sockaddr*>(&own), &length) || !IsOf(listener, own)) continue;
    int listens = 0;
    length = sizeof(listens);
    if (getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) || listens) continue;
    visit(number);
  }
  closedir(directory);
}

void ForgottenRequests::AwaitAnswers(long connections) const {
  for (int look = 0; look < kMostLooks; look++) {
    long open = 0;
    ForEachSocket([&open](int) { open++; });
    if (open <= connections) return;
    struct timespec pause = {0, kNanosecondsBetweenLooks};
    nanosleep(&pause, nullptr);
  }
}

void ForgottenRequests::End() const {
  ForEachSocket([](int number) { close(number); });
}

}  // namespace node_libfabric
