// libfabric's own words for its structures and numbers.
#include <vector>

#include "environment.h"
#include "info.h"

namespace node_libfabric {
namespace {

// What fi_info -v prints of one interface has some four thousand bytes.
constexpr size_t kTextSize = 64 * 1024;

Napi::Value TextOf(Napi::Env env, const void* data, enum fi_type type) {
  std::vector<char> text(kTextSize);
  fi_tostr_r(text.data(), text.size(), data, type);
  return Napi::String::New(env, text.data());
}

// describeInfo(info: RawInfo, part: number): string, where `part` is the FI_TYPE_… of an info or of one of its groups.
//
// char *fi_tostr_r(char *buf, size_t len, const void *data, enum fi_type datatype)
Napi::Value DescribeInfo(const Napi::CallbackInfo& info) {
  InfoPointer native = InfoFromObject(info[0].As<Napi::Object>());
  auto part = static_cast<enum fi_type>(info[1].As<Napi::Number>().Int32Value());
  switch (part) {
    case FI_TYPE_TX_ATTR:
      return TextOf(info.Env(), native->tx_attr, part);
    case FI_TYPE_RX_ATTR:
      return TextOf(info.Env(), native->rx_attr, part);
    case FI_TYPE_EP_ATTR:
      return TextOf(info.Env(), native->ep_attr, part);
    case FI_TYPE_DOMAIN_ATTR:
      return TextOf(info.Env(), native->domain_attr, part);
    case FI_TYPE_FABRIC_ATTR:
      return TextOf(info.Env(), native->fabric_attr, part);
    default:
      return TextOf(info.Env(), native.get(), FI_TYPE_INFO);
  }
}

// describeNumber(type: number, value: bigint): string. `type` is one whose data is a number of 32 or 64 bits, which
// TypeScript has checked.
Napi::Value DescribeNumber(const Napi::CallbackInfo& info) {
  bool lossless;
  uint64_t value = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  return TextOf(info.Env(), &value, static_cast<enum fi_type>(info[0].As<Napi::Number>().Int32Value()));
}

}  // namespace

void ExportDescribe(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "describeInfo", DescribeInfo);
  Export(env, exports, environment, "describeNumber", DescribeNumber);
}

}  // namespace node_libfabric
