/*
 * Completion queues. The device has no thread: it works when a queue is polled, and when something is posted.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "softefa.h"

/* in a row, before other processes have their turn */
#define EMPTY_POLLS 32

static struct completion_queue* queue_of(struct ibv_cq_ex* base) {
  return (struct completion_queue*)base;
}

void completion_queue_add(struct completion_queue* queue, const struct completion* completion) {
  pthread_mutex_lock(&queue->lock);
  if (queue->tail - queue->head == queue->size) {
    /* a provider asks for fewer entries than its queue pairs can fill: grown rather than overrun */
    struct completion* ring = malloc(2 * queue->size * sizeof(*ring));

    if (ring == NULL) abort();
    for (uint32_t i = 0; i < queue->size; i++) ring[i] = queue->ring[(queue->head + i) % queue->size];
    free(queue->ring);
    queue->ring = ring;
    queue->head = 0;
    queue->tail = queue->size;
    queue->size *= 2;
  }
  queue->ring[queue->tail++ % queue->size] = *completion;
  pthread_mutex_unlock(&queue->lock);
}

static bool take(struct completion_queue* queue) {
  bool has_one = false;

  pthread_mutex_lock(&queue->lock);
  if (queue->head != queue->tail) {
    queue->current = queue->ring[queue->head++ % queue->size];
    has_one = true;
  }
  pthread_mutex_unlock(&queue->lock);
  if (!has_one) return false;
  queue->qpn = queue->current.queue_pair->base.qp_num;
  queue->extended.wr_id = queue->current.id;
  queue->extended.status = queue->current.status == STATUS_OK ? IBV_WC_SUCCESS : IBV_WC_GENERAL_ERR;
  if (queue->current.work != NULL) queue_pair_release(queue->current.work);
  return true;
}

/* What the hardware does meanwhile by itself. */
static void work(struct completion_queue* queue) {
  uint64_t now = nanoseconds();

  for (int i = 0; i < queue->queue_pair_count; i++) {
    struct queue_pair* qp = queue->queue_pairs[i];

    transmit_waiting(qp, now);
    if (qp->receive_queue == queue) receive_packets(qp);
  }
  sysfs_write_counters(context_of(queue->base.context), now);
}

static int next(struct completion_queue* queue) {
  if (take(queue)) return 0;
  work(queue);
  if (take(queue)) {
    queue->empty_polls = 0;
    return 0;
  }
  /* programs spin: on a machine with few cores it is the peer's turn */
  if (++queue->empty_polls % EMPTY_POLLS == 0) sched_yield();
  return ENOENT;
}

static int start_poll(struct ibv_cq_ex* base, struct ibv_poll_cq_attr* attributes) {
  struct completion_queue* queue = queue_of(base);

  if (attributes->comp_mask != 0) return EINVAL;
  pthread_mutex_lock(&queue->polling);
  int result = next(queue);
  if (result != 0) pthread_mutex_unlock(&queue->polling);
  return result;
}

static int next_poll(struct ibv_cq_ex* base) {
  return next(queue_of(base));
}

static void end_poll(struct ibv_cq_ex* base) {
  pthread_mutex_unlock(&queue_of(base)->polling);
}

static enum ibv_wc_opcode read_opcode(struct ibv_cq_ex* base) {
  return queue_of(base)->current.opcode;
}

static uint32_t read_vendor_err(struct ibv_cq_ex* base) {
  return queue_of(base)->current.status;
}

static uint32_t read_byte_len(struct ibv_cq_ex* base) {
  return queue_of(base)->current.length;
}

static __be32 read_imm_data(struct ibv_cq_ex* base) {
  return queue_of(base)->current.immediate;
}

static uint32_t read_qp_num(struct ibv_cq_ex* base) {
  return queue_of(base)->qpn;
}

static uint32_t read_src_qp(struct ibv_cq_ex* base) {
  return queue_of(base)->current.source_qpn;
}

static unsigned int read_wc_flags(struct ibv_cq_ex* base) {
  return queue_of(base)->current.flags;
}

static uint32_t read_slid(struct ibv_cq_ex* base) {
  return queue_of(base)->current.slid;
}

static uint8_t read_nothing(struct ibv_cq_ex* base) {
  (void)base;
  return 0;
}

static struct completion_queue* queue_of_efa(struct efadv_cq* efa) {
  return (struct completion_queue*)((char*)efa - offsetof(struct completion_queue, efa));
}

static int read_sgid(struct efadv_cq* efa, union ibv_gid* gid) {
  const struct completion* current = &queue_of_efa(efa)->current;

  /* it is told only where the address handle says nothing */
  if (current->slid != NO_AH) return -ENOENT;
  *gid = current->source;
  return 0;
}

static bool is_unsolicited(struct efadv_cq* efa) {
  return queue_of_efa(efa)->current.is_unsolicited;
}

struct ibv_cq_ex* completion_queue_create(struct ibv_context* context, struct ibv_cq_init_attr_ex* attributes) {
  struct completion_queue* queue;
  uint32_t size = 64;

  if (attributes->channel != NULL || attributes->comp_mask != 0) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  while (size < attributes->cqe && size < 65536) size *= 2;
  queue = calloc(1, sizeof(*queue));
  COUNT_COMMAND(context_of(context), queue == NULL, create_cq_err);
  if (queue == NULL) return NULL;
  queue->ring = malloc(size * sizeof(*queue->ring));
  if (queue->ring == NULL) {
    free(queue);
    return NULL;
  }
  queue->size = size;
  pthread_mutex_init(&queue->polling, NULL);
  pthread_mutex_init(&queue->lock, NULL);
  pthread_mutex_init(&queue->base.mutex, NULL);
  pthread_cond_init(&queue->base.cond, NULL);
  queue->base.context = context;
  queue->base.cq_context = attributes->cq_context;
  queue->base.cqe = size;
  queue->extended.start_poll = start_poll;
  queue->extended.next_poll = next_poll;
  queue->extended.end_poll = end_poll;
  queue->extended.read_opcode = read_opcode;
  queue->extended.read_vendor_err = read_vendor_err;
  queue->extended.read_byte_len = read_byte_len;
  queue->extended.read_imm_data = read_imm_data;
  queue->extended.read_qp_num = read_qp_num;
  queue->extended.read_src_qp = read_src_qp;
  queue->extended.read_wc_flags = read_wc_flags;
  queue->extended.read_slid = read_slid;
  queue->extended.read_sl = read_nothing;
  queue->extended.read_dlid_path_bits = read_nothing;
  queue->efa.wc_read_sgid = read_sgid;
  queue->efa.wc_is_unsolicited = is_unsolicited;
  return &queue->extended;
}

PUBLIC struct ibv_cq_ex* efadv_create_cq(struct ibv_context* context, struct ibv_cq_init_attr_ex* attributes,
                                         struct efadv_cq_init_attr* efa, uint32_t length) {
  (void)efa;
  (void)length;
  return completion_queue_create(context, attributes);
}

PUBLIC struct efadv_cq* efadv_cq_from_ibv_cq_ex(struct ibv_cq_ex* base) {
  return (struct efadv_cq*)&queue_of(base)->efa;
}

PUBLIC int ibv_destroy_cq(struct ibv_cq* base) {
  struct completion_queue* queue = (struct completion_queue*)base;

  if (queue->queue_pair_count > 0) return EBUSY;
  free(queue->ring);
  free(queue);
  return 0;
}

void completion_queue_attach(struct completion_queue* queue, struct queue_pair* qp) {
  pthread_mutex_lock(&queue->polling);
  queue->queue_pairs[queue->queue_pair_count++] = qp;
  pthread_mutex_unlock(&queue->polling);
}

/* With it go its completions: nobody could tell what they are about. */
void completion_queue_detach(struct completion_queue* queue, struct queue_pair* qp) {
  int kept = 0;

  pthread_mutex_lock(&queue->polling);
  for (int i = 0; i < queue->queue_pair_count; i++)
    if (queue->queue_pairs[i] != qp) queue->queue_pairs[kept++] = queue->queue_pairs[i];
  queue->queue_pair_count = kept;
  pthread_mutex_lock(&queue->lock);
  uint32_t tail = queue->head;
  for (uint32_t at = queue->head; at != queue->tail; at++)
    if (queue->ring[at % queue->size].queue_pair != qp)
      queue->ring[tail++ % queue->size] = queue->ring[at % queue->size];
  queue->tail = tail;
  pthread_mutex_unlock(&queue->lock);
  pthread_mutex_unlock(&queue->polling);
}

/* There is nobody to wake who sleeps: libfabric up to 2.5 never asks. */
int completion_queue_arm(struct ibv_cq* base, int solicited_only) {
  (void)base;
  (void)solicited_only;
  return EOPNOTSUPP;
}
