// Gives signals back to who had them.
//
// Loading libfabric replaces signal handlers behind everybody's back: Debian's pulls in libpsm_infinipath, whose
// constructor takes SIGINT, SIGTERM, SIGSEGV and others, and ends the process in them; the shm provider's first
// endpoint takes four, to unlink its files. A program that has handlers of its own would die on Ctrl-C.
#pragma once

#include <signal.h>

namespace node_libfabric {

class SignalGuard {
 public:
  enum class Restore {
    kAll,       // what came is of no use
    kHandlers,  // what came is useful where there was no handler: it cleans up, then ends the process as by default
  };

  // `is_needed`: false where it is known that nothing will be replaced.
  explicit SignalGuard(Restore restore, bool is_needed = true) : restore_(restore), is_needed_(is_needed) {
    if (!is_needed_) return;
    for (int number = 1; number < kSignals; number++) sigaction(number, nullptr, &saved_[number]);
  }
  ~SignalGuard() {
    if (!is_needed_) return;
    for (int number = 1; number < kSignals; number++) {
      // Those of Node itself, which end the process as by default, are for one signal.
      bool had_handler = saved_[number].sa_handler != SIG_DFL && saved_[number].sa_handler != SIG_IGN &&
                         !(saved_[number].sa_flags & SA_RESETHAND);
      if (restore_ == Restore::kAll || had_handler) sigaction(number, &saved_[number], nullptr);
    }
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr int kSignals = 32;  // the real-time ones above are glibc's and the application's

  Restore restore_;
  bool is_needed_;
  struct sigaction saved_[kSignals];
};

}  // namespace node_libfabric
