/*
 * The devices of this host: their list, their attributes, protection domains and address handles.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "softefa.h"

/* in newer headers than those of Debian 12 */
enum {
  CAPS_RDMA_WRITE = 1 << 3,
  CAPS_UNSOLICITED_WRITE_RECV = 1 << 4,
};

static const char default_abilities[] = "read,write,unsolicited";

struct context* context_of(struct ibv_context* base) {
  return (struct context*)((char*)base - offsetof(struct context, verbs.context));
}

PUBLIC struct ibv_device** ibv_get_device_list(int* count) {
  int wanted = faults_number("SOFTEFA_DEVICES", 1);
  uint32_t host = htonl(faults_number("SOFTEFA_HOST", 1));
  struct ibv_device** list = calloc(wanted + 1, sizeof(*list));

  if (list == NULL) return NULL;
  for (int i = 0; i < wanted; i++) {
    struct device* device = calloc(1, sizeof(*device));
    uint32_t number = htonl(i + 1);

    if (device == NULL) break;
    device->gid.raw[0] = 0xfe;
    device->gid.raw[1] = 0x80;
    memcpy(device->gid.raw + 8, &host, sizeof(host));
    memcpy(device->gid.raw + 12, &number, sizeof(number));
    device->is_efa = !faults_has("SOFTEFA_KIND", "other", "efa");
    device->base.node_type = IBV_NODE_UNSPECIFIED;
    device->base.transport_type = IBV_TRANSPORT_UNSPECIFIED;
    sysfs_make(device, i);
    list[i] = &device->base;
    if (count != NULL) *count = i + 1;
  }
  if (wanted == 0 && count != NULL) *count = 0;
  return list;
}

PUBLIC void ibv_free_device_list(struct ibv_device** list) {
  /* the devices stay: contexts point to them */
  free(list);
}

PUBLIC const char* ibv_get_device_name(struct ibv_device* device) {
  return device->name;
}

static int query_port(struct ibv_context* base, uint8_t port, struct ibv_port_attr* attributes, size_t length) {
  struct ibv_port_attr all = {
      .state = faults_has("SOFTEFA_PORT", "down", "up") ? IBV_PORT_DOWN : IBV_PORT_ACTIVE,
      .max_mtu = IBV_MTU_4096,
      .active_mtu = IBV_MTU_4096,
      .gid_tbl_len = 1,
      .max_msg_sz = MTU,
      .pkey_tbl_len = 1,
      .max_vl_num = 1,
      .active_width = 2,  /* 4 lanes */
      .active_speed = 32, /* of 25 Gbit/s */
      .phys_state = faults_has("SOFTEFA_PORT", "down", "up") ? 3 : 5,
      .link_layer = IBV_LINK_LAYER_UNSPECIFIED,
  };

  (void)base;
  if (port != 1) return EINVAL;
  memcpy(attributes, &all, length < sizeof(all) ? length : sizeof(all));
  return 0;
}

PUBLIC int ibv_query_port(struct ibv_context* base, uint8_t port, struct _compat_ibv_port_attr* attributes) {
  return query_port(base, port, (struct ibv_port_attr*)attributes, offsetof(struct ibv_port_attr, port_cap_flags2));
}

static struct ibv_cq_ex* create_cq_ex(struct ibv_context* base, struct ibv_cq_init_attr_ex* attributes) {
  return completion_queue_create(base, attributes);
}

static struct ibv_qp* create_qp_ex(struct ibv_context* base, struct ibv_qp_init_attr_ex* attributes) {
  (void)base;
  if (attributes->qp_type != IBV_QPT_UD) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  return queue_pair_create(attributes->pd, (struct ibv_qp_init_attr*)attributes, false);
}

PUBLIC struct ibv_context* ibv_open_device(struct ibv_device* base) {
  struct device* device = (struct device*)base;
  struct context* context = calloc(1, sizeof(*context));
  int failure = faults_number("SOFTEFA_OPEN_ERRNO", 0);

  if (context == NULL) return NULL;
  context->device = device;
  context->shared = failure == 0 ? wire_device(&device->gid) : NULL;
  if (context->shared != NULL)
    context->regions = wire_regions(&device->gid, context->regions_path, &context->regions_fd);
  if (context->regions == NULL) {
    free(context);
    if (failure != 0) errno = failure;
    return NULL;
  }
  pthread_mutex_init(&context->lock, NULL);
  context->verbs.sz = sizeof(context->verbs);
  context->verbs.query_port = query_port;
  context->verbs.create_cq_ex = create_cq_ex;
  context->verbs.create_qp_ex = create_qp_ex;
  struct ibv_context* verbs = &context->verbs.context;
  verbs->abi_compat = __VERBS_ABI_IS_EXTENDED;
  verbs->device = base;
  verbs->cmd_fd = -1;
  verbs->async_fd = -1;
  verbs->num_comp_vectors = 2;
  pthread_mutex_init(&verbs->mutex, NULL);
  verbs->ops.post_send = queue_pair_post_send;
  verbs->ops.post_recv = queue_pair_post_receive;
  verbs->ops.req_notify_cq = completion_queue_arm;
  return verbs;
}

PUBLIC int ibv_close_device(struct ibv_context* base) {
  struct context* context = context_of(base);

  sysfs_write_counters(context, UINT64_MAX);
  unlink(context->regions_path);
  close(context->regions_fd);
  /* the mappings stay for what libfabric may still have open */
  return 0;
}

PUBLIC int ibv_query_device(struct ibv_context* base, struct ibv_device_attr* attributes) {
  struct device* device = context_of(base)->device;

  *attributes = (struct ibv_device_attr){
      .fw_ver = "0.0.0.0",
      .max_mr_size = UINT64_C(1) << 40,
      .page_size_cap = 0xfffffffffffff000,
      .vendor_id = device->is_efa ? 0x1d0f : 0x15b3,
      .vendor_part_id = faults_number("SOFTEFA_PART", 0xefa2),
      .hw_ver = 0xefa2,
      .max_qp = MAX_QP,
      .max_qp_wr = 8192,
      .max_sge = MAX_SGE,
      .max_sge_rd = 1,
      .max_cq = MAX_QP,
      .max_cqe = 65536,
      .max_mr = MAX_MR,
      .max_pd = 256,
      .max_ah = MAX_AH,
      .max_pkeys = 1,
      .phys_port_cnt = 1,
  };
  memcpy(&attributes->node_guid, device->gid.raw + 8, sizeof(attributes->node_guid));
  return 0;
}

PUBLIC int efadv_query_device(struct ibv_context* base, struct efadv_device_attr* attributes, uint32_t length) {
  struct efadv_device_attr all = {
      .max_sq_wr = faults_number("SOFTEFA_SEND_QUEUE", 1024),
      .max_rq_wr = faults_number("SOFTEFA_RECEIVE_QUEUE", 2048),
      .max_sq_sge = MAX_SGE,
      .max_rq_sge = MAX_SGE,
      .inline_buf_size = INLINE_BYTES,
      .device_caps = EFADV_DEVICE_ATTR_CAPS_RNR_RETRY | EFADV_DEVICE_ATTR_CAPS_CQ_WITH_SGID,
      .max_rdma_size = 1 << 30,
  };

  if (!context_of(base)->device->is_efa) return EOPNOTSUPP;
  if (faults_has("SOFTEFA_RDMA", "read", default_abilities)) all.device_caps |= EFADV_DEVICE_ATTR_CAPS_RDMA_READ;
  if (faults_has("SOFTEFA_RDMA", "write", default_abilities)) all.device_caps |= CAPS_RDMA_WRITE;
  if (faults_has("SOFTEFA_RDMA", "unsolicited", default_abilities)) all.device_caps |= CAPS_UNSOLICITED_WRITE_RECV;
  memset(attributes, 0, length);
  memcpy(attributes, &all, length < sizeof(all) ? length : sizeof(all));
  return 0;
}

PUBLIC int ibv_query_gid(struct ibv_context* base, uint8_t port, int index, union ibv_gid* gid) {
  if (port != 1 || index != 0) return EINVAL;
  *gid = context_of(base)->device->gid;
  return 0;
}

PUBLIC struct ibv_pd* ibv_alloc_pd(struct ibv_context* base) {
  struct context* context = context_of(base);
  struct protection_domain* pd = calloc(1, sizeof(*pd));

  COUNT_COMMAND(context, pd == NULL, alloc_pd_err);
  if (pd == NULL) return NULL;
  pd->base.context = base;
  pthread_mutex_lock(&context->lock);
  pd->number = ++context->next_pd;
  pthread_mutex_unlock(&context->lock);
  return &pd->base;
}

PUBLIC int ibv_dealloc_pd(struct ibv_pd* pd) {
  free(pd);
  return 0;
}

/* ---- address handles: one number for each GID, however often it is asked for ---- */

uint16_t device_ah_of(struct context* context, const union ibv_gid* gid) {
  uint16_t found = NO_AH;

  pthread_mutex_lock(&context->lock);
  for (int i = 0; i < MAX_AH && found == NO_AH; i++) {
    if (context->ahs[i].users > 0 && memcmp(&context->ahs[i].gid, gid, sizeof(*gid)) == 0) found = i;
    /* never used, and so the end */
    if (context->ahs[i].gid.global.interface_id == 0) break;
  }
  pthread_mutex_unlock(&context->lock);
  return found;
}

static int take_number(struct context* context, const union ibv_gid* gid) {
  int number = -1;

  pthread_mutex_lock(&context->lock);
  for (int i = 0; i < MAX_AH; i++) {
    bool is_used = context->ahs[i].users > 0;

    if (is_used && memcmp(&context->ahs[i].gid, gid, sizeof(*gid)) == 0) {
      number = i;
      break;
    }
    if (!is_used && number < 0) number = i;
    if (context->ahs[i].gid.global.interface_id == 0) break;
  }
  if (number >= 0) {
    context->ahs[number].gid = *gid;
    context->ahs[number].users++;
  }
  pthread_mutex_unlock(&context->lock);
  return number;
}

PUBLIC struct ibv_ah* ibv_create_ah(struct ibv_pd* pd, struct ibv_ah_attr* attributes) {
  struct context* context = context_of(pd->context);
  struct address_handle* ah = calloc(1, sizeof(*ah));

  if (ah == NULL) return NULL;
  int number = attributes->is_global ? take_number(context, &attributes->grh.dgid) : -1;
  COUNT_COMMAND(context, number < 0, create_ah_err);
  if (number < 0) {
    free(ah);
    errno = attributes->is_global ? ENOMEM : EINVAL;
    return NULL;
  }
  ah->base.context = pd->context;
  ah->base.pd = pd;
  ah->gid = attributes->grh.dgid;
  ah->number = number;
  return &ah->base;
}

PUBLIC int ibv_destroy_ah(struct ibv_ah* base) {
  struct context* context = context_of(base->context);
  struct address_handle* ah = (struct address_handle*)base;

  pthread_mutex_lock(&context->lock);
  context->ahs[ah->number].users--;
  pthread_mutex_unlock(&context->lock);
  free(ah);
  return 0;
}

PUBLIC int efadv_query_ah(struct ibv_ah* base, struct efadv_ah_attr* attributes, uint32_t length) {
  struct efadv_ah_attr all = {.ahn = ((struct address_handle*)base)->number};

  memcpy(attributes, &all, length < sizeof(all) ? length : sizeof(all));
  return 0;
}
