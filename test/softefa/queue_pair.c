/*
 * Queue pairs: their life, and what is posted to them, by ibv_post_send and by the calls of ibv_qp_ex.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "softefa.h"

/* in newer headers than those of Debian 12: flags that follow driver_qp_type */
struct qp_init_attr_new {
  uint64_t comp_mask;
  uint32_t driver_qp_type;
  uint16_t flags;
  uint8_t sl;
  uint8_t reserved;
};
enum { QP_FLAGS_UNSOLICITED_WRITE_RECV = 1 };

static struct queue_pair* pair_of(const void* base) {
  return (struct queue_pair*)base;
}

static struct queue_pair* allocate(const struct ibv_qp_cap* cap) {
  struct queue_pair* qp = calloc(1, sizeof(*qp));

  if (qp == NULL) return NULL;
  qp->receive_size = 1;
  while (qp->receive_size < cap->max_recv_wr) qp->receive_size *= 2;
  qp->works = calloc(cap->max_send_wr, sizeof(*qp->works));
  qp->receives = calloc(qp->receive_size, sizeof(*qp->receives));
  if ((qp->works == NULL && cap->max_send_wr > 0) || qp->receives == NULL) {
    free(qp->works);
    free(qp->receives);
    free(qp);
    return NULL;
  }
  for (uint32_t i = 0; i < cap->max_send_wr; i++) {
    qp->works[i].queue_pair = qp;
    qp->works[i].next = qp->free_works;
    qp->free_works = &qp->works[i];
  }
  qp->last = &qp->first;
  pthread_mutex_init(&qp->lock, NULL);
  return qp;
}

struct ibv_qp* queue_pair_create(struct ibv_pd* pd, const struct ibv_qp_init_attr* attributes, bool takes_writes) {
  struct context* context = context_of(pd->context);
  struct queue_pair* qp = allocate(&attributes->cap);
  uint32_t qpn;

  if (qp == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  /* room for what the posted receives can take: a packet waits for its receiver's memory, never for its processor */
  uint32_t slots = faults_number("SOFTEFA_SLOTS", attributes->cap.max_recv_wr + 1);
  qp->mailbox = wire_mailbox(&context->device->gid, context->shared, slots, &qpn, &qp->mailbox_fd);
  COUNT_COMMAND(context, qp->mailbox == NULL, create_qp_err);
  if (qp->mailbox == NULL) {
    free(qp->works);
    free(qp->receives);
    free(qp);
    return NULL;
  }
  qp->context = context;
  qp->send_queue = (struct completion_queue*)attributes->send_cq;
  qp->receive_queue = (struct completion_queue*)attributes->recv_cq;
  qp->is_datagram = attributes->qp_type == IBV_QPT_UD;
  qp->pd = ((struct protection_domain*)pd)->number;
  qp->base.context = pd->context;
  qp->base.qp_context = attributes->qp_context;
  qp->base.pd = pd;
  qp->base.send_cq = attributes->send_cq;
  qp->base.recv_cq = attributes->recv_cq;
  qp->base.qp_num = qpn;
  qp->base.qp_type = attributes->qp_type;
  qp->base.state = IBV_QPS_RESET;
  faults_read(&qp->faults, qpn);
  queue_pair_set_posting(qp);
  struct mailbox* mailbox = qp->mailbox;
  mailbox->pd = qp->pd;
  mailbox->is_datagram = qp->is_datagram;
  mailbox->takes_unsolicited_writes = takes_writes;
  memcpy(mailbox->regions, context->regions_path, sizeof(mailbox->regions));
  completion_queue_attach(qp->send_queue, qp);
  if (qp->receive_queue != qp->send_queue) completion_queue_attach(qp->receive_queue, qp);
  return &qp->base;
}

PUBLIC struct ibv_qp* ibv_create_qp(struct ibv_pd* pd, struct ibv_qp_init_attr* attributes) {
  if (attributes->qp_type != IBV_QPT_UD) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  return queue_pair_create(pd, attributes, false);
}

PUBLIC struct ibv_qp* efadv_create_qp_ex(struct ibv_context* context, struct ibv_qp_init_attr_ex* attributes,
                                         struct efadv_qp_init_attr* efa, uint32_t length) {
  const struct qp_init_attr_new* new = (const struct qp_init_attr_new*)efa;

  (void)context;
  if (attributes->qp_type != IBV_QPT_DRIVER || efa->driver_qp_type != EFADV_QP_DRIVER_TYPE_SRD) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  return queue_pair_create(attributes->pd, (struct ibv_qp_init_attr*)attributes,
                           length >= sizeof(*new) && (new->flags& QP_FLAGS_UNSOLICITED_WRITE_RECV) != 0);
}

PUBLIC int ibv_modify_qp(struct ibv_qp* base, struct ibv_qp_attr* attributes, int mask) {
  struct queue_pair* qp = pair_of(base);

  pthread_mutex_lock(&qp->lock);
  if (mask & IBV_QP_QKEY) qp->mailbox->qkey = attributes->qkey;
  if (mask & IBV_QP_RNR_RETRY) qp->rnr_retry = attributes->rnr_retry;
  if (mask & IBV_QP_STATE) {
    qp->base.state = attributes->qp_state;
    qp->mailbox->is_ready = attributes->qp_state == IBV_QPS_RTR || attributes->qp_state == IBV_QPS_RTS;
  }
  pthread_mutex_unlock(&qp->lock);
  return 0;
}

PUBLIC int ibv_destroy_qp(struct ibv_qp* base) {
  struct queue_pair* qp = pair_of(base);
  struct context* context = qp->context;

  completion_queue_detach(qp->send_queue, qp);
  if (qp->receive_queue != qp->send_queue) completion_queue_detach(qp->receive_queue, qp);
  wire_remove_mailbox(&context->device->gid, qp->base.qp_num, qp->mailbox, qp->mailbox_fd);
  wire_forget(&qp->peers);
  sysfs_write_counters(context, UINT64_MAX);
  free(qp->works);
  free(qp->receives);
  free(qp);
  return 0;
}

PUBLIC struct ibv_qp_ex* ibv_qp_to_qp_ex(struct ibv_qp* base) {
  return &pair_of(base)->extended;
}

/* No promise about the order in which the bytes of a message become visible. */
PUBLIC int ibv_query_qp_data_in_order(struct ibv_qp* base, enum ibv_wr_opcode operation, uint32_t flags) {
  (void)base;
  (void)operation;
  (void)flags;
  return 0;
}

/* ---- receives ---- */

int queue_pair_post_receive(struct ibv_qp* base, struct ibv_recv_wr* wr, struct ibv_recv_wr** bad) {
  struct queue_pair* qp = pair_of(base);
  int result = 0, posted = 0;

  pthread_mutex_lock(&qp->lock);
  for (; wr != NULL; wr = wr->next) {
    if (qp->receive_tail - qp->receive_head == qp->receive_size)
      result = ENOMEM;
    else if (wr->num_sge > MAX_SGE)
      result = EINVAL;
    if (result != 0) break;
    struct receive* receive = &qp->receives[qp->receive_tail++ % qp->receive_size];
    receive->id = wr->wr_id;
    receive->sge_count = wr->num_sge;
    memcpy(receive->sges, wr->sg_list, wr->num_sge * sizeof(*wr->sg_list));
    posted++;
  }
  atomic_fetch_add(&qp->mailbox->receives, posted);
  pthread_mutex_unlock(&qp->lock);
  if (result != 0) *bad = wr;
  return result;
}

/* ---- sends ---- */

static struct work* take_work(struct queue_pair* qp) {
  struct work* work = qp->free_works;

  if (work == NULL) return NULL;
  qp->free_works = work->next;
  *work = (struct work){.queue_pair = qp, .inline_bytes = -1};
  return work;
}

static void put_back(struct work* work) {
  work->next = work->queue_pair->free_works;
  work->queue_pair->free_works = work;
}

void queue_pair_release(struct work* work) {
  struct queue_pair* qp = work->queue_pair;

  pthread_mutex_lock(&qp->lock);
  put_back(work);
  pthread_mutex_unlock(&qp->lock);
}

static void set_target(struct work* work, struct ibv_ah* ah, uint32_t qpn, uint32_t qkey) {
  work->is_addressed = ah != NULL;
  if (ah != NULL) work->gid = ((struct address_handle*)ah)->gid;
  work->qpn = qpn;
  work->qkey = qkey;
}

static int set_sges(struct work* work, size_t count, const struct ibv_sge* sges) {
  if (count > MAX_SGE) return EINVAL;
  work->sge_count = count;
  memcpy(work->sges, sges, count * sizeof(*sges));
  return 0;
}

static int set_inline(struct work* work, const void* data, size_t length) {
  size_t before = work->inline_bytes < 0 ? 0 : work->inline_bytes;

  if (before + length > INLINE_BYTES) return EINVAL;
  if (length > 0) memcpy(work->data + before, data, length);
  work->inline_bytes = before + length;
  return 0;
}

static int fill(struct work* work, const struct ibv_send_wr* wr) {
  int result = 0;

  if (wr->opcode != IBV_WR_SEND && wr->opcode != IBV_WR_SEND_WITH_IMM) return EINVAL;
  work->id = wr->wr_id;
  work->has_immediate = wr->opcode == IBV_WR_SEND_WITH_IMM;
  work->immediate = wr->imm_data;
  set_target(work, wr->wr.ud.ah, wr->wr.ud.remote_qpn, wr->wr.ud.remote_qkey);
  if ((wr->send_flags & IBV_SEND_INLINE) == 0) return set_sges(work, wr->num_sge, wr->sg_list);
  work->inline_bytes = 0;
  for (int i = 0; i < wr->num_sge && result == 0; i++)
    result = set_inline(work, (const void*)(uintptr_t)wr->sg_list[i].addr, wr->sg_list[i].length);
  return result;
}

int queue_pair_post_send(struct ibv_qp* base, struct ibv_send_wr* wr, struct ibv_send_wr** bad) {
  struct queue_pair* qp = pair_of(base);
  int result = 0;

  pthread_mutex_lock(&qp->lock);
  for (; wr != NULL; wr = wr->next) {
    struct work* work = take_work(qp);

    result = work == NULL ? ENOMEM : fill(work, wr);
    if (result != 0) {
      if (work != NULL) put_back(work);
      *bad = wr;
      break;
    }
    transmit(qp, work);
  }
  pthread_mutex_unlock(&qp->lock);
  return result;
}

/* ---- the same, piece by piece: nothing is transmitted before wr_complete, which takes all or nothing ---- */

static void wr_start(struct ibv_qp_ex* base) {
  struct queue_pair* qp = pair_of(base);

  pthread_mutex_lock(&qp->lock);
  qp->staged = qp->building = NULL;
  qp->staged_last = &qp->staged;
  qp->staged_error = 0;
}

static void begin(struct ibv_qp_ex* base, enum operation operation, uint32_t key, uint64_t address) {
  struct queue_pair* qp = pair_of(base);
  struct work* work = take_work(qp);

  qp->building = work;
  if (work == NULL) {
    qp->staged_error = ENOMEM;
    return;
  }
  work->id = base->wr_id;
  work->operation = operation;
  work->remote_key = key;
  work->remote_address = address;
  *qp->staged_last = work;
  qp->staged_last = &work->next;
}

static void with_immediate(struct ibv_qp_ex* base, __be32 immediate) {
  struct work* work = pair_of(base)->building;

  if (work == NULL) return;
  work->has_immediate = true;
  work->immediate = immediate;
}

static void wr_send(struct ibv_qp_ex* base) {
  begin(base, OPERATION_SEND, 0, 0);
}

static void wr_send_imm(struct ibv_qp_ex* base, __be32 immediate) {
  begin(base, OPERATION_SEND, 0, 0);
  with_immediate(base, immediate);
}

static void wr_rdma_read(struct ibv_qp_ex* base, uint32_t key, uint64_t address) {
  begin(base, OPERATION_READ, key, address);
}

static void wr_rdma_write(struct ibv_qp_ex* base, uint32_t key, uint64_t address) {
  begin(base, OPERATION_WRITE, key, address);
}

static void wr_rdma_write_imm(struct ibv_qp_ex* base, uint32_t key, uint64_t address, __be32 immediate) {
  begin(base, OPERATION_WRITE, key, address);
  with_immediate(base, immediate);
}

static void wr_set_ud_addr(struct ibv_qp_ex* base, struct ibv_ah* ah, uint32_t qpn, uint32_t qkey) {
  struct work* work = pair_of(base)->building;

  if (work != NULL) set_target(work, ah, qpn, qkey);
}

static void wr_set_sge_list(struct ibv_qp_ex* base, size_t count, const struct ibv_sge* sges) {
  struct queue_pair* qp = pair_of(base);

  if (qp->building != NULL && set_sges(qp->building, count, sges) != 0) qp->staged_error = EINVAL;
}

static void wr_set_sge(struct ibv_qp_ex* base, uint32_t key, uint64_t address, uint32_t length) {
  struct ibv_sge sge = {.addr = address, .length = length, .lkey = key};

  wr_set_sge_list(base, 1, &sge);
}

static void wr_set_inline_data(struct ibv_qp_ex* base, void* data, size_t length) {
  struct queue_pair* qp = pair_of(base);

  if (qp->building != NULL && set_inline(qp->building, data, length) != 0) qp->staged_error = EINVAL;
}

static void wr_set_inline_data_list(struct ibv_qp_ex* base, size_t count, const struct ibv_data_buf* list) {
  for (size_t i = 0; i < count; i++) wr_set_inline_data(base, list[i].addr, list[i].length);
}

static void discard(struct queue_pair* qp) {
  while (qp->staged != NULL) {
    struct work* work = qp->staged;

    qp->staged = work->next;
    put_back(work);
  }
}

static int wr_complete(struct ibv_qp_ex* base) {
  struct queue_pair* qp = pair_of(base);
  int result = qp->staged_error;

  if (result != 0) discard(qp);
  while (qp->staged != NULL) {
    struct work* work = qp->staged;

    qp->staged = work->next;
    transmit(qp, work);
  }
  pthread_mutex_unlock(&qp->lock);
  return result;
}

static void wr_abort(struct ibv_qp_ex* base) {
  discard(pair_of(base));
  pthread_mutex_unlock(&pair_of(base)->lock);
}

void queue_pair_set_posting(struct queue_pair* qp) {
  struct ibv_qp_ex* base = &qp->extended;

  base->wr_start = wr_start;
  base->wr_send = wr_send;
  base->wr_send_imm = wr_send_imm;
  base->wr_rdma_read = wr_rdma_read;
  base->wr_rdma_write = wr_rdma_write;
  base->wr_rdma_write_imm = wr_rdma_write_imm;
  base->wr_set_ud_addr = wr_set_ud_addr;
  base->wr_set_sge = wr_set_sge;
  base->wr_set_sge_list = wr_set_sge_list;
  base->wr_set_inline_data = wr_set_inline_data;
  base->wr_set_inline_data_list = wr_set_inline_data_list;
  base->wr_complete = wr_complete;
  base->wr_abort = wr_abort;
}
