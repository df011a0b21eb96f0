// When a thread that spins offers its core to others. The peer may be waiting for this very core, and would get it only
// at the next tick of the scheduler, milliseconds later: so it is offered soon. But where it is somebody else who wants
// it, he keeps it for all of his time slice, and each message would take as long: then it is offered late, and where
// that happens time after time, so late that even a long message arrives in between.
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

// Tells the processor that this thread only waits.
inline void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class CoreSharing {
 public:
  // A spin begins.
  void Begin(int64_t now) { since_ = seen_ = now; }

  // What it waits for has come.
  void Came() {
    // Somebody was here for a moment, and then something came: that was the peer.
    if (was_brief_) in_vain_ = 0;
    was_brief_ = false;
    // Patience that is rewarded only after the core was taken all the same is not: the peer is here, and so are others.
    in_a_row_ = was_away_ ? in_a_row_ + 1 : 0;
    was_away_ = false;
    if (patience_ != kLongest || in_a_row_ < kMostInARow) return;
    patience_ = kLong;
    in_vain_ = -kOffersAfterDoubt;
  }

  // Nothing has come.
  void Offer(int64_t now) {
    was_away_ = was_away_ || now - seen_ > kSlice;
    seen_ = now;
    if (now - since_ < patience_) return;
    sched_yield();
    since_ = seen_ = Nanoseconds();
    int64_t away = since_ - now;
    was_brief_ = away > kNobody && away <= kSlice;
    if (away <= kSlice) {
      patience_ = std::max(kShortest, patience_ - patience_ / 8);
    } else {
      was_away_ = true;
      patience_ = ++in_vain_ < kMostInVain ? kLong : kLongest;
    }
  }

 private:
  // In nanoseconds. What a yield takes when nobody wants the core …
  static constexpr int64_t kNobody = 3'000;
  // … and the longest that a peer on this core takes to answer, even if it has a long patience itself.
  static constexpr int64_t kSlice = 700'000;
  static constexpr int64_t kShortest = 20'000;
  static constexpr int64_t kLong = 200'000;
  // More than the scheduler leaves to one of several who want the core.
  static constexpr int64_t kLongest = 5'000'000;
  // After so many offers in vain, which others took for all of their slice, the peer is believed to be elsewhere …
  static constexpr int kMostInVain = 4;
  // … until so many messages in a row came when this thread had lost the core; and then for so many offers more.
  static constexpr int kMostInARow = 3;
  static constexpr int kOffersAfterDoubt = 128;

  int64_t since_ = 0;  // the last offer, or what came
  int64_t seen_ = 0;   // when this thread was last running
  int64_t patience_ = kShortest;
  bool was_brief_ = false;
  bool was_away_ = false;
  int in_vain_ = 0;
  int in_a_row_ = 0;
};

}  // namespace node_libfabric
