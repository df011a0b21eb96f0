/*
 * What libfabric's other providers, and newer efa providers, want to find in these libraries: it is not there.
 */
#include <errno.h>
#include "softefa.h"

#define NOT_HERE(type, name, result) \
  PUBLIC type name(void);            \
  PUBLIC type name(void) {           \
    errno = ENODEV;                  \
    return result;                   \
  }
#define NO_POINTER(name) NOT_HERE(void*, name, NULL)
#define NO_RESULT(name) NOT_HERE(int, name, -1)
#define NO_EFFECT(name)   \
  PUBLIC void name(void); \
  PUBLIC void name(void) {}

NO_POINTER(rdma_create_event_channel)
NO_RESULT(rdma_accept)
NO_RESULT(rdma_ack_cm_event)
NO_RESULT(rdma_bind_addr)
NO_RESULT(rdma_connect)
NO_RESULT(rdma_create_id)
NO_RESULT(rdma_create_qp)
NO_RESULT(rdma_create_qp_ex)
NO_RESULT(rdma_destroy_id)
NO_RESULT(rdma_disconnect)
NO_RESULT(rdma_establish)
NO_RESULT(rdma_get_cm_event)
NO_RESULT(rdma_getaddrinfo)
NO_RESULT(rdma_listen)
NO_RESULT(rdma_migrate_id)
NO_RESULT(rdma_reject)
NO_RESULT(rdma_resolve_addr)
NO_RESULT(rdma_resolve_route)
NO_EFFECT(rdma_destroy_ep)
NO_EFFECT(rdma_destroy_event_channel)
NO_EFFECT(rdma_free_devices)
NO_EFFECT(rdma_freeaddrinfo)

/* The count too: libfabric 1.17's verbs provider asks for it alone, once it has seen a device that is not an EFA. */
PUBLIC struct ibv_context** rdma_get_devices(int* count);
PUBLIC struct ibv_context** rdma_get_devices(int* count) {
  if (count != NULL) *count = 0;
  errno = ENODEV;
  return NULL;
}

PUBLIC const char* rdma_event_str(int event);
PUBLIC const char* rdma_event_str(int event) {
  (void)event;
  return "there are no connections here";
}

PUBLIC uint16_t rdma_get_src_port(void* id);
PUBLIC uint16_t rdma_get_src_port(void* id) {
  (void)id;
  return 0;
}

PUBLIC struct ibv_comp_channel* ibv_create_comp_channel(struct ibv_context* context) {
  (void)context;
  errno = EOPNOTSUPP;
  return NULL;
}

PUBLIC int ibv_destroy_comp_channel(struct ibv_comp_channel* channel) {
  (void)channel;
  return EINVAL;
}

PUBLIC int ibv_get_cq_event(struct ibv_comp_channel* channel, struct ibv_cq** cq, void** context) {
  (void)channel;
  (void)cq;
  (void)context;
  errno = EOPNOTSUPP;
  return -1;
}

PUBLIC void ibv_ack_cq_events(struct ibv_cq* cq, unsigned int count) {
  (void)cq;
  (void)count;
}

PUBLIC struct ibv_cq* ibv_create_cq(struct ibv_context* context, int cqe, void* cq_context,
                                    struct ibv_comp_channel* channel, int vector) {
  (void)context;
  (void)cqe;
  (void)cq_context;
  (void)channel;
  (void)vector;
  errno = EOPNOTSUPP;
  return NULL;
}

PUBLIC struct ibv_srq* ibv_create_srq(struct ibv_pd* pd, struct ibv_srq_init_attr* attributes) {
  (void)pd;
  (void)attributes;
  errno = EOPNOTSUPP;
  return NULL;
}

PUBLIC int ibv_destroy_srq(struct ibv_srq* srq) {
  (void)srq;
  return EINVAL;
}

PUBLIC int ibv_query_pkey(struct ibv_context* context, uint8_t port, int index, __be16* pkey) {
  (void)context;
  if (port != 1 || index != 0) return EINVAL;
  *pkey = 0xffff;
  return 0;
}

PUBLIC const char* ibv_wc_status_str(enum ibv_wc_status status) {
  return status == IBV_WC_SUCCESS ? "success" : "failure";
}

/* Memory of accelerators has no place in a device of software. */
PUBLIC struct ibv_mr* ibv_reg_dmabuf_mr(struct ibv_pd* pd, uint64_t offset, size_t length, uint64_t iova, int fd,
                                        int access) {
  (void)pd;
  (void)offset;
  (void)length;
  (void)iova;
  (void)fd;
  (void)access;
  errno = EOPNOTSUPP;
  return NULL;
}

PUBLIC int efadv_query_mr(struct ibv_mr* mr, void* attributes, uint32_t length);
PUBLIC int efadv_query_mr(struct ibv_mr* mr, void* attributes, uint32_t length) {
  (void)mr;
  (void)attributes;
  (void)length;
  return EOPNOTSUPP;
}

/* Pages are not pinned, so that a fork() does no harm to them. */
PUBLIC int ibv_fork_init(void) {
  return 0;
}

PUBLIC enum ibv_fork_status ibv_is_fork_initialized(void) {
  return IBV_FORK_UNNEEDED;
}
