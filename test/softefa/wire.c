/*
 * What processes share: files in $SOFTEFA_DIR, one folder per device, named by its GID.
 *
 * The owner of a file holds a lock on it (flock), which the kernel drops when the process ends, however it ends. So
 * whether a peer is alive is asked by trying to take its lock. A file gets its name only when it is locked and filled
 * in.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "softefa.h"

/* How long a peer is believed to be alive. */
#define BELIEF_NANOSECONDS 10000000

uint64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const char* directory(void) {
  static char path[PATH_BYTES];
  const char* chosen = getenv("SOFTEFA_DIR");

  if (chosen != NULL) return chosen;
  snprintf(path, sizeof(path), "/dev/shm/softefa-%u", getuid());
  return path;
}

static void device_path(char path[PATH_BYTES], const union ibv_gid* gid, const char* name, unsigned int number) {
  int end = snprintf(path, PATH_BYTES, "%.150s/", directory());

  for (size_t i = 0; i < sizeof(gid->raw); i++) end += snprintf(path + end, PATH_BYTES - end, "%02x", gid->raw[i]);
  if (name != NULL) snprintf(path + end, PATH_BYTES - end, "/%s%u", name, number);
}

static void* map(int fd, size_t bytes) {
  void* address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return address == MAP_FAILED ? NULL : address;
}

static bool is_abandoned(int fd) {
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) return false;
  flock(fd, LOCK_UN);
  return true;
}

/* Takes away what processes have left that are no more. */
static void sweep(const char* folder) {
  DIR* listing = opendir(folder);
  struct dirent* entry;

  if (listing == NULL) return;
  while ((entry = readdir(listing)) != NULL) {
    if (strncmp(entry->d_name, "qp-", 3) != 0 && strncmp(entry->d_name, "mr-", 3) != 0) continue;
    int fd = openat(dirfd(listing), entry->d_name, O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;
    if (is_abandoned(fd)) unlinkat(dirfd(listing), entry->d_name, 0);
    close(fd);
  }
  closedir(listing);
}

struct shared_device* wire_device(const union ibv_gid* gid) {
  char path[PATH_BYTES];
  struct shared_device* shared = NULL;

  mkdir(directory(), 0700);
  device_path(path, gid, NULL, 0);
  mkdir(path, 0700);
  sweep(path);
  device_path(path, gid, "device", 0);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  /* never shorter than it is: another process may have it already */
  if (ftruncate(fd, sizeof(*shared)) == 0) shared = map(fd, sizeof(*shared));
  close(fd);
  return shared;
}

/* A file of this process, locked, without its name yet. */
static int create(const union ibv_gid* gid, char temporary[PATH_BYTES], size_t bytes) {
  static _Atomic unsigned int count;
  char name[32];

  snprintf(name, sizeof(name), "new-%d-", getpid());
  device_path(temporary, gid, name, atomic_fetch_add(&count, 1));
  int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, bytes) == 0) return fd;
  unlink(temporary);
  close(fd);
  return -1;
}

struct region* wire_regions(const union ibv_gid* gid, char path[PATH_BYTES], int* fd) {
  static _Atomic unsigned int count;
  char temporary[PATH_BYTES], name[32];
  struct region* regions;

  *fd = create(gid, temporary, MAX_MR * sizeof(struct region));
  if (*fd < 0) return NULL;
  snprintf(name, sizeof(name), "mr-%d-", getpid());
  device_path(path, gid, name, atomic_fetch_add(&count, 1));
  regions = map(*fd, MAX_MR * sizeof(struct region));
  if (regions != NULL && rename(temporary, path) == 0) return regions;
  unlink(temporary);
  close(*fd);
  return NULL;
}

static size_t mailbox_bytes(uint32_t count) {
  return sizeof(struct mailbox) + count * sizeof(struct packet);
}

/* A name that nobody has. Numbers are used in turn, so that one is not somebody else's soon after. */
static bool name_mailbox(const union ibv_gid* gid, struct shared_device* device, const char* temporary, uint32_t* qpn) {
  for (int tries = 0; tries < MAX_QP; tries++) {
    char path[PATH_BYTES];

    *qpn = 1 + atomic_fetch_add(&device->next_qpn, 1) % (MAX_QP - 1);
    device_path(path, gid, "qp-", *qpn);
    if (link(temporary, path) == 0) return true;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;
    bool was_left = is_abandoned(fd);
    close(fd);
    if (was_left && unlink(path) == 0 && link(temporary, path) == 0) return true;
  }
  return false;
}

struct mailbox* wire_mailbox(const union ibv_gid* gid, struct shared_device* device, uint32_t count, uint32_t* qpn,
                             int* fd) {
  char temporary[PATH_BYTES];
  pthread_mutexattr_t attributes;

  *fd = create(gid, temporary, mailbox_bytes(count));
  if (*fd < 0) return NULL;
  struct mailbox* mailbox = map(*fd, mailbox_bytes(count));
  if (mailbox != NULL) {
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mailbox->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    mailbox->pid = getpid();
    mailbox->count = count;
    if (name_mailbox(gid, device, temporary, qpn)) {
      unlink(temporary);
      return mailbox;
    }
    munmap(mailbox, mailbox_bytes(count));
  }
  unlink(temporary);
  close(*fd);
  errno = ENOMEM;
  return NULL;
}

void wire_remove_mailbox(const union ibv_gid* gid, uint32_t qpn, struct mailbox* mailbox, int fd) {
  char path[PATH_BYTES];

  mailbox->is_gone = 1;
  device_path(path, gid, "qp-", qpn);
  unlink(path);
  munmap(mailbox, mailbox_bytes(mailbox->count));
  close(fd);
}

static void forget(struct peer** at) {
  struct peer* peer = *at;

  *at = peer->next;
  munmap(peer->mailbox, peer->bytes);
  if (peer->regions != NULL) munmap(peer->regions, MAX_MR * sizeof(struct region));
  munmap(peer->device, sizeof(*peer->device));
  close(peer->fd);
  free(peer);
}

void wire_forget(struct peer** list) {
  while (*list != NULL) forget(list);
}

static void* map_file(const char* path, size_t bytes) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return NULL;
  void* address = map(fd, bytes);
  close(fd);
  return address;
}

static enum finding open_peer(struct peer** list, const union ibv_gid* gid, uint32_t qpn, struct peer** found) {
  char path[PATH_BYTES];
  struct stat status;

  /* those that went meanwhile would stay in memory with us */
  for (struct peer** at = list; *at != NULL;) {
    if ((*at)->mailbox->is_gone)
      forget(at);
    else
      at = &(*at)->next;
  }
  device_path(path, gid, "qp-", qpn);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    device_path(path, gid, "device", 0);
    return access(path, F_OK) == 0 ? PEER_NO_QUEUE_PAIR : PEER_NO_HOST;
  }
  struct peer* peer = calloc(1, sizeof(*peer));
  device_path(path, gid, "device", 0);
  if (peer == NULL || is_abandoned(fd) || fstat(fd, &status) != 0 ||
      (peer->device = map_file(path, sizeof(*peer->device))) == NULL ||
      (peer->mailbox = map(fd, status.st_size)) == NULL) {
    if (peer != NULL && peer->device != NULL) munmap(peer->device, sizeof(*peer->device));
    free(peer);
    close(fd);
    return PEER_NO_QUEUE_PAIR;
  }
  peer->regions = map_file(peer->mailbox->regions, MAX_MR * sizeof(struct region));
  *peer = (struct peer){.next = *list,
                        .gid = *gid,
                        .qpn = qpn,
                        .mailbox = peer->mailbox,
                        .bytes = status.st_size,
                        .regions = peer->regions,
                        .device = peer->device,
                        .fd = fd,
                        .seen_alive = nanoseconds()};
  *list = peer;
  *found = peer;
  return PEER_FOUND;
}

enum finding wire_find(struct peer** list, const union ibv_gid* gid, uint32_t qpn, struct peer** found) {
  for (struct peer** at = list; *at != NULL; at = &(*at)->next) {
    struct peer* peer = *at;

    if (peer->qpn != qpn || memcmp(&peer->gid, gid, sizeof(*gid)) != 0) continue;
    if (wire_is_alive(peer)) {
      *found = peer;
      return PEER_FOUND;
    }
    /* the number may be another one's by now */
    forget(at);
    break;
  }
  return open_peer(list, gid, qpn, found);
}

bool wire_is_alive(struct peer* peer) {
  uint64_t now;

  if (peer->mailbox->is_gone) return false;
  now = nanoseconds();
  if (now - peer->seen_alive < BELIEF_NANOSECONDS) return true;
  peer->seen_alive = now;
  return !is_abandoned(peer->fd);
}

bool wire_lock(struct mailbox* mailbox) {
  int result = pthread_mutex_lock(&mailbox->lock);

  /* who held it was killed, before its packet was counted: the slot is free */
  if (result == EOWNERDEAD) result = pthread_mutex_consistent(&mailbox->lock);
  return result == 0;
}
