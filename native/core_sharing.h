// When a thread that spins offers its core to others. The peer may be waiting for this very core, and would get it only
// at the next tick of the scheduler, milliseconds later: so it is offered soon. But where it is somebody else who wants
// it, he keeps it for all of his time slice, and each message would take as long: then it is offered late.
#pragma once

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

namespace node_libfabric {

inline int64_t Nanoseconds() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

class CoreSharing {
 public:
  // Something came, or a spin begins.
  void Restart(int64_t now) { since_ = now; }

  // Nothing has come.
  void Offer(int64_t now) {
    if (now - since_ < patience_) return;
    sched_yield();
    since_ = Nanoseconds();
    bool was_taken = since_ - now > kSlice;
    patience_ = was_taken ? kLongest : std::max(kShortest, patience_ - patience_ / 8);
  }

 private:
  // A peer on this core answers sooner than that, even if it has the longest patience itself.
  static constexpr int64_t kSlice = 700'000;
  static constexpr int64_t kShortest = 20'000;
  static constexpr int64_t kLongest = 200'000;

  int64_t since_ = 0;
  int64_t patience_ = kShortest;
};

}  // namespace node_libfabric
