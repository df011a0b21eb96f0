#include "event_queue.h"

#include <cstdlib>
#include <cstring>

#include "close.h"
#include "environment.h"
#include "event_watch.h"
#include "info.h"
#include "padded.h"
#include "post.h"

namespace node_libfabric {

EventQueue::EventQueue(Fabric* parent, struct fid_eq* eq, bool has_descriptor) : fabric(parent), fid(eq) {
  fabric->children++;
  if (has_descriptor && fi_control(&fid->fid, FI_GETWAIT, &descriptor)) descriptor = -1;
}

EventQueue::~EventQueue() {
  if (watch) watch->Close();
  if (fid) fabric->Close(&fid->fid);
  fabric->children--;
}

namespace {

// More private data than any provider carries in a connection request.
constexpr size_t kLargestData = 4096;

EventQueue* Find(const Napi::CallbackInfo& info) {
  return EnvironmentOf(info).event_queues.Get(info[0].As<Napi::Number>().Int32Value());
}

Napi::Buffer<uint8_t> CopyOf(Napi::Env env, const void* data, size_t length) {
  return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(data), length);
}

// int fi_eq_open(struct fid_fabric *fabric, struct fi_eq_attr *attr, struct fid_eq **eq, void *context)
Napi::Value EventQueueOpen(const Napi::CallbackInfo& info) {
  Environment& environment = EnvironmentOf(info);
  Fabric* fabric = environment.fabrics.Get(info[0].As<Napi::Number>().Int32Value());
  if (!fabric) return Napi::Number::New(info.Env(), -FI_EBADF);
  bool want_descriptor = info[2].As<Napi::Boolean>();
  Padded<struct fi_eq_attr> attr;
  attr->size = info[1].As<Napi::Number>().Uint32Value();
  attr->flags = info[3].As<Napi::Boolean>() ? FI_WRITE : 0;
  attr->wait_obj = want_descriptor ? FI_WAIT_FD : FI_WAIT_NONE;
  struct fid_eq* fid = nullptr;
  int result = fi_eq_open(fabric->fid, attr.get(), &fid, nullptr);
  if (result) return Napi::Number::New(info.Env(), result);
  auto queue = std::make_unique<EventQueue>(fabric, fid, want_descriptor);
  return Napi::Number::New(info.Env(), environment.event_queues.Add(std::move(queue)));
}

// int fi_close(struct fid *fid)
Napi::Value EventQueueClose(const Napi::CallbackInfo& info) {
  return CloseHandle(info, EnvironmentOf(info).event_queues,
                     [](EventQueue& queue) { return queue.fabric->Close(&queue.fid->fid); });
}

Napi::Value EventQueueDescriptor(const Napi::CallbackInfo& info) {
  EventQueue* queue = Find(info);
  return Napi::Number::New(info.Env(), queue ? queue->descriptor : -FI_EBADF);
}

// The connection request of an event: an object of its own, since the provider holds it until it is answered.
void AddRequest(Environment& environment, Napi::Object event, int32_t source, InfoPointer requested) {
  PassiveEndpoint* passive_endpoint = environment.passive_endpoints.Get(source);
  if (!passive_endpoint || !requested) return;
  event.Set("info", ObjectFromInfo(event.Env(), requested.get()));
  auto request = std::make_unique<ConnectionRequest>(passive_endpoint, std::move(requested));
  event.Set("request", Napi::Number::New(event.Env(), environment.connection_requests.Add(std::move(request))));
}

// ssize_t fi_eq_read(struct fid_eq *eq, uint32_t *event, void *buf, size_t len, uint64_t flags)
Napi::Value EventQueueRead(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  EventQueue* queue = Find(info);
  if (!queue) return Napi::Number::New(env, -FI_EBADF);
  union {
    struct fi_eq_cm_entry connection;
    struct fi_eq_entry control;
    uint8_t bytes[sizeof(struct fi_eq_cm_entry) + kLargestData];
  } entry;
  std::memset(&entry, 0, sizeof(entry));
  uint32_t type = 0;
  ssize_t length = fi_eq_read(queue->fid, &type, &entry, sizeof(entry), 0);
  if (length < 0) return Napi::Number::New(env, static_cast<double>(length));
  auto event = Napi::Object::New(env);
  event.Set("type", Napi::Number::New(env, type));
  // Both kinds of entries begin with the fid.
  int32_t source = queue->SourceOf(entry.control.fid);
  event.Set("source", Napi::Number::New(env, source));
  bool is_connection = type == FI_CONNREQ || type == FI_CONNECTED || type == FI_SHUTDOWN;
  if (!is_connection) {
    event.Set("value", Napi::BigInt::New(env, entry.control.data));
    event.Set("context",
              Napi::BigInt::New(env, static_cast<uint64_t>(reinterpret_cast<uintptr_t>(entry.control.context))));
    return event;
  }
  size_t header = sizeof(struct fi_eq_cm_entry);
  size_t data_length = static_cast<size_t>(length) > header ? static_cast<size_t>(length) - header : 0;
  event.Set("data", CopyOf(env, entry.bytes + header, data_length));
  if (type == FI_CONNREQ) AddRequest(EnvironmentOf(info), event, source, InfoPointer(entry.connection.info));
  return event;
}

// ssize_t fi_eq_readerr(struct fid_eq *eq, struct fi_eq_err_entry *buf, uint64_t flags)
// const char *fi_eq_strerror(struct fid_eq *eq, int prov_errno, const void *err_data, char *buf, size_t len)
Napi::Value EventQueueReadError(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  EventQueue* queue = Find(info);
  if (!queue) return Napi::Number::New(env, -FI_EBADF);
  Padded<struct fi_eq_err_entry> error;
  uint8_t data[kLargestData];
  error->err_data = data;
  error->err_data_size = sizeof(data);
  ssize_t result = fi_eq_readerr(queue->fid, error.get(), 0);
  if (result < 0) return Napi::Number::New(env, static_cast<double>(result));
  auto event = Napi::Object::New(env);
  event.Set("source", Napi::Number::New(env, queue->SourceOf(error->fid)));
  // Some providers report their errors negative, as their functions return them.
  event.Set("errno", Napi::Number::New(env, std::abs(error->err)));
  event.Set("providerErrno", Napi::Number::New(env, std::abs(error->prov_errno)));
  char text[256] = "";
  const char* said = fi_eq_strerror(queue->fid, error->prov_errno, error->err_data, text, sizeof(text));
  event.Set("text", Napi::String::New(env, said ? said : ""));
  bool has_data = error->err_data && error->err_data_size <= kLargestData;
  event.Set("data", CopyOf(env, has_data ? error->err_data : data, has_data ? error->err_data_size : 0));
  return event;
}

// ssize_t fi_eq_write(struct fid_eq *eq, uint32_t event, const void *buf, size_t len, uint64_t flags)
// FI_NOTIFY only: the other types carry pointers, which are not JavaScript's to make up.
Napi::Value EventQueueWrite(const Napi::CallbackInfo& info) {
  EventQueue* queue = Find(info);
  if (!queue) return Napi::Number::New(info.Env(), -FI_EBADF);
  struct fi_eq_entry entry = {};
  entry.fid = &queue->fid->fid;
  entry.data = Uint64Of(info[1]);
  ssize_t result = fi_eq_write(queue->fid, FI_NOTIFY, &entry, sizeof(entry), 0);
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

// eventQueueWatch(queue, callback): number
Napi::Value EventQueueWatch(const Napi::CallbackInfo& info) {
  EventQueue* queue = Find(info);
  if (!queue || queue->watch) return Napi::Number::New(info.Env(), -FI_EBADF);
  queue->watch = new EventWatch(&EnvironmentOf(info), queue, info[1]);
  return Napi::Number::New(info.Env(), 0);
}

Napi::Value EventQueueArm(const Napi::CallbackInfo& info) {
  EventQueue* queue = Find(info);
  return Napi::Number::New(info.Env(), queue && queue->watch ? queue->watch->Arm() : -FI_EBADF);
}

void EventQueueSetReferenced(const Napi::CallbackInfo& info) {
  EventQueue* queue = Find(info);
  if (queue && queue->watch) queue->watch->SetReferenced(info[1].As<Napi::Boolean>());
}

}  // namespace

void ExportEventQueue(Napi::Env env, Napi::Object exports, Environment* environment) {
  Export(env, exports, environment, "eventQueueOpen", EventQueueOpen);
  Export(env, exports, environment, "eventQueueClose", EventQueueClose);
  Export(env, exports, environment, "eventQueueDescriptor", EventQueueDescriptor);
  Export(env, exports, environment, "eventQueueRead", EventQueueRead);
  Export(env, exports, environment, "eventQueueReadError", EventQueueReadError);
  Export(env, exports, environment, "eventQueueWrite", EventQueueWrite);
  Export(env, exports, environment, "eventQueueWatch", EventQueueWatch);
  Export(env, exports, environment, "eventQueueArm", EventQueueArm);
  Export(env, exports, environment, "eventQueueSetReferenced", EventQueueSetReferenced);
}

}  // namespace node_libfabric
