// FI_TRIGGER of fi_trigger(3): operations that the provider begins when a counter has reached a threshold.
#pragma once

#include <napi.h>
#include <rdma/fi_trigger.h>

#include "environment.h"

namespace node_libfabric {

// Flags by which the context of an operation has a meaning: only Trigger may set them. What sockets means by its own
// (60 to 63 are a provider's) are pointers in the context.
constexpr uint64_t kContextFlags = FI_TRIGGER | 0xfull << 60;

// What no operation may have by default: a multi-receive is more than one operation, and a message to a multicast group
// says so itself (udp would take every destination for a pointer).
constexpr uint64_t kNeverByDefault = kContextFlags | FI_MULTI_RECV | FI_MULTICAST;

inline void ClearDefaultFlags(struct fi_info* info) {
  info->tx_attr->op_flags &= ~kNeverByDefault;
  info->rx_attr->op_flags &= ~kNeverByDefault;
}

// The condition of one operation: none, or a counter and its threshold.
class Trigger {
 public:
  // From two arguments, a counter that triggers operations of `endpoint` (endpointTriggeredBy) and a threshold; both
  // are undefined for an operation that begins at once. Sets FI_TRIGGER. 0, or a negative libfabric code.
  int Read(const Napi::CallbackInfo& info, size_t first, const Endpoint& endpoint, uint64_t* flags) {
    if (*flags & kContextFlags) return -FI_EINVAL;
    if (!info[first].IsNumber()) return 0;
    Counter* counter = EnvironmentOf(info).counters.Get(info[first].As<Napi::Number>().Int32Value());
    int64_t threshold = info[first + 1].IsNumber() ? info[first + 1].As<Napi::Number>().Int64Value() : -1;
    if (!counter || !counter->fid) return -FI_EBADF;
    if (threshold < 0 || counter->triggers != endpoint.original()) return -FI_EINVAL;
    counter_ = counter;
    threshold_ = static_cast<size_t>(threshold);
    *flags |= FI_TRIGGER;
    return 0;
  }

  // The context of an operation is as large as the one that says when it begins.
  void Arm(void* context) const {
    static_assert(sizeof(struct fi_triggered_context2) == sizeof(struct fi_context2));
    if (!counter_) return;
    auto* triggered = static_cast<struct fi_triggered_context2*>(context);
    *triggered = {};
    triggered->event_type = FI_TRIGGER_THRESHOLD;
    triggered->trigger.threshold = {counter_->fid, threshold_};
  }

 private:
  Counter* counter_ = nullptr;
  size_t threshold_ = 0;
};

}  // namespace node_libfabric
