// Traffic classes that are a DSCP of the network's own.
#include <rdma/fabric.h>

#include "environment.h"

namespace node_libfabric {
namespace {

// uint32_t fi_tc_dscp_set(uint8_t dscp)
Napi::Value TrafficClassOfDscp(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fi_tc_dscp_set(static_cast<uint8_t>(info[0].As<Napi::Number>().Uint32Value())));
}

// uint8_t fi_tc_dscp_get(uint32_t tclass)
Napi::Value DscpOfTrafficClass(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fi_tc_dscp_get(info[0].As<Napi::Number>().Uint32Value()));
}

}  // namespace

void ExportTrafficClass(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "trafficClassOfDscp", TrafficClassOfDscp);
  Export(env, exports, environment, "dscpOfTrafficClass", DscpOfTrafficClass);
}

}  // namespace node_libfabric
