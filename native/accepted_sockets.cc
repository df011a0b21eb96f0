#include "accepted_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace node_libfabric {
namespace {

using NameOf = int (*)(int, struct sockaddr*, socklen_t*);

// What getsockname(2) or getpeername(2) says, as bytes; empty when it fails.
std::string Name(NameOf name_of, int number) {
  struct sockaddr_storage name;
  socklen_t length = sizeof(name);
  if (name_of(number, reinterpret_cast<struct sockaddr*>(&name), &length)) return "";
  return std::string(reinterpret_cast<const char*>(&name), length);
}

template <typename SocketAddress>
SocketAddress As(const std::string& name) {
  SocketAddress address = {};
  std::memcpy(&address, name.data(), std::min(name.size(), sizeof(address)));
  return address;
}

// Whether a socket named `own` was accepted by a listener with the name `listener`, which may be a wildcard.
bool IsOf(const std::string& listener, const std::string& own) {
  if (own == listener) return true;
  auto family = As<struct sockaddr>(listener).sa_family;
  if (family != As<struct sockaddr>(own).sa_family) return false;
  if (family == AF_INET) {
    auto wanted = As<struct sockaddr_in>(listener);
    return wanted.sin_addr.s_addr == INADDR_ANY && wanted.sin_port == As<struct sockaddr_in>(own).sin_port;
  }
  auto wanted = As<struct sockaddr_in6>(listener);
  return family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&wanted.sin6_addr) &&
         wanted.sin6_port == As<struct sockaddr_in6>(own).sin6_port;
}

ino_t InodeOf(int number) {
  struct stat status;
  return fstat(number, &status) ? 0 : status.st_ino;
}

}  // namespace

bool ForgetsAcceptedSockets(const char* provider) {
  if (!provider) return false;
  const std::string names = std::string(";") + provider + ";";
  return names.find(";tcp;") != std::string::npos || names.find(";net;") != std::string::npos;
}

AcceptedSockets::AcceptedSockets(const void* listener, size_t length) {
  const std::string name(static_cast<const char*>(listener), length);
  DIR* directory = opendir("/proc/self/fd");
  if (!directory) return;
  while (const struct dirent* entry = readdir(directory)) {
    int number = std::atoi(entry->d_name);
    if (IsOf(name, Name(getsockname, number))) sockets_.push_back({number, InodeOf(number), Name(getpeername, number)});
  }
  closedir(directory);
}

void AcceptedSockets::Abandon(const std::vector<std::string>& peers, std::vector<int>* numbers) const {
  auto is_wanted = [&peers](const std::string& peer) {
    return std::find(peers.begin(), peers.end(), peer) != peers.end();
  };
  auto found = std::count_if(sockets_.begin(), sockets_.end(), [&](const Socket& one) { return is_wanted(one.peer); });
  // One whose peer has gone may be a connection that nobody has noticed the end of yet.
  bool is_certain = static_cast<size_t>(found) == peers.size();
  for (const Socket& socket : sockets_) {
    bool is_used = socket.peer.empty() ? !is_certain : is_wanted(socket.peer);
    if (is_used || InodeOf(socket.number) != socket.inode) continue;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
      dup3(nothing, socket.number, O_CLOEXEC);
      close(nothing);
      numbers->push_back(socket.number);
    } else {
      close(socket.number);
    }
  }
}

}  // namespace node_libfabric
