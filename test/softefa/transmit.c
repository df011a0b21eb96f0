/*
 * From one queue pair to another. A packet goes into the receiver's mailbox; bytes of remote memory are copied from
 * process to process, by the kernel. What cannot go yet waits, and is tried again whenever a completion queue is
 * polled.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include "softefa.h"

#define RETRANSMISSION_NANOSECONDS 200000
#define DELAY_NANOSECONDS 50000

static void complete(struct queue_pair* qp, struct work* work, enum status status, uint64_t length) {
  struct completion completion = {
      .queue_pair = qp,
      .work = work,
      .id = work->id,
      /* reads too: libfabric 1.17 knows no other, and later ones take it */
      .opcode = work->operation == OPERATION_WRITE ? IBV_WC_RDMA_WRITE : IBV_WC_SEND,
      .status = status,
      .length = length,
  };

  if (status == STATUS_REMOTE_BAD_QPN || status == STATUS_UNRESPONSIVE || status == STATUS_UNREACHABLE)
    COUNT(qp->context, unresponsive_remote_events, 1);
  if (status != STATUS_OK && work->operation == OPERATION_READ) COUNT(qp->context, rdma_read_wr_err, 1);
  if (status != STATUS_OK && work->operation == OPERATION_WRITE) COUNT(qp->context, rdma_write_wr_err, 1);
  completion_queue_add(qp->send_queue, &completion);
}

static void wait_until(struct queue_pair* qp, struct work* work, uint64_t due) {
  work->due = due;
  work->next = NULL;
  *qp->last = work;
  qp->last = &work->next;
}

static uint64_t length_of(const struct ibv_sge* sges, int count) {
  uint64_t length = 0;

  for (int i = 0; i < count; i++) length += sges[i].length;
  return length;
}

static bool are_registered(struct queue_pair* qp, const struct ibv_sge* sges, int count, uint32_t access) {
  for (int i = 0; i < count; i++)
    if (sges[i].length > 0 &&
        memory_find(qp->context->regions, sges[i].lkey, qp->pd, sges[i].addr, sges[i].length, access) == NULL)
      return false;
  return true;
}

static void gather(uint8_t* to, const struct work* work) {
  if (work->inline_bytes >= 0) {
    memcpy(to, work->data, work->inline_bytes);
    return;
  }
  for (int i = 0; i < work->sge_count; i++) {
    memcpy(to, (const void*)(uintptr_t)work->sges[i].addr, work->sges[i].length);
    to += work->sges[i].length;
  }
}

enum delivery { DELIVERED, NOT_READY, FULL };

static enum delivery deliver(struct queue_pair* qp, struct mailbox* mailbox, const struct work* work, uint32_t length) {
  bool is_write = work->operation == OPERATION_WRITE;
  bool is_free = is_write && mailbox->takes_unsolicited_writes;
  enum delivery result = DELIVERED;

  if (!wire_lock(mailbox)) return NOT_READY;
  if (!mailbox->is_ready || (!is_free && mailbox->receives <= 0)) {
    result = NOT_READY;
  } else if (mailbox->tail - mailbox->head == mailbox->count) {
    result = FULL;
  } else {
    struct packet* packet = &mailbox->slots[mailbox->tail % mailbox->count];

    packet->source = qp->context->device->gid;
    packet->source_qpn = qp->base.qp_num;
    packet->length = length;
    packet->has_immediate = work->has_immediate;
    packet->immediate = work->immediate;
    packet->is_write = is_write;
    if (!is_write) gather(packet->bytes, work);
    if (!is_free) mailbox->receives--;
    atomic_store_explicit(&mailbox->tail, mailbox->tail + 1, memory_order_release);
  }
  pthread_mutex_unlock(&mailbox->lock);
  return result;
}

/* A write's immediate data, and every send. */
static void send_packet(struct queue_pair* qp, struct work* work, struct mailbox* mailbox, uint32_t length) {
  enum delivery delivery = deliver(qp, mailbox, work, length);

  work->waits_for_room = delivery != DELIVERED;
  if (delivery == DELIVERED || qp->is_datagram) {
    if (delivery != DELIVERED) COUNT(qp->context, rx_drops, 1);
    if (work->operation == OPERATION_SEND) {
      COUNT(qp->context, send_wrs, 1);
      COUNT(qp->context, send_bytes, length);
      COUNT(qp->context, tx_bytes, length);
    }
    COUNT(qp->context, tx_pkts, 1);
    complete(qp, work, STATUS_OK, length);
    return;
  }
  if (delivery == NOT_READY) {
    COUNT(qp->context, softefa_rnr, 1);
    /* 7 is for ever */
    if (qp->rnr_retry != 7 && work->refusals++ >= qp->rnr_retry) {
      complete(qp, work, STATUS_REMOTE_NOT_READY, length);
      return;
    }
    wait_until(qp, work, nanoseconds() + 1000 * faults_number("SOFTEFA_RNR_MICROSECONDS", 100));
    return;
  }
  wait_until(qp, work, 0);
}

/* Between the memory of this process and that of the peer's. */
static enum status copy(struct queue_pair* qp, const struct work* work, struct peer* peer, uint64_t length) {
  bool reads = work->operation == OPERATION_READ;
  struct iovec local[MAX_SGE], remote = {(void*)(uintptr_t)work->remote_address, length};
  uint64_t done = 0;

  if (!are_registered(qp, work->sges, work->sge_count, reads ? IBV_ACCESS_LOCAL_WRITE : 0)) return STATUS_INVALID_LKEY;
  if (peer->regions == NULL || memory_find(peer->regions, work->remote_key, peer->mailbox->pd, work->remote_address,
                                           length, reads ? IBV_ACCESS_REMOTE_READ : IBV_ACCESS_REMOTE_WRITE) == NULL)
    return STATUS_REMOTE_BAD_ADDRESS;
  for (int i = 0; i < work->sge_count; i++)
    local[i] = (struct iovec){(void*)(uintptr_t)work->sges[i].addr, work->sges[i].length};
  while (done < length) {
    /* the kernel does not copy more than 2 GiB at once, and a message is no longer than 1 */
    ssize_t copied = reads ? process_vm_readv(peer->mailbox->pid, local, work->sge_count, &remote, 1, 0)
                           : process_vm_writev(peer->mailbox->pid, local, work->sge_count, &remote, 1, 0);
    if (copied < 0 && errno == ESRCH) return STATUS_REMOTE_BAD_QPN;
    if (copied < 0 && errno == EFAULT) return STATUS_REMOTE_BAD_ADDRESS;
    if (copied < 0 || (uint64_t)copied < length) return STATUS_REMOTE_ABORT;
    done += copied;
  }
  return STATUS_OK;
}

static void access_memory(struct queue_pair* qp, struct work* work, struct peer* peer, uint64_t length) {
  enum status status = copy(qp, work, peer, length);

  if (status == STATUS_OK && work->operation == OPERATION_READ) {
    COUNT(qp->context, rdma_read_wrs, 1);
    COUNT(qp->context, rdma_read_bytes, length);
    COUNT(qp->context, rx_bytes, length);
    COUNT_AT(peer->device, rdma_read_resp_bytes, length);
    COUNT_AT(peer->device, tx_bytes, length);
  }
  if (status == STATUS_OK && work->operation == OPERATION_WRITE) {
    COUNT(qp->context, rdma_write_wrs, 1);
    COUNT(qp->context, rdma_write_bytes, length);
    COUNT(qp->context, tx_bytes, length);
    COUNT_AT(peer->device, rdma_write_recv_bytes, length);
    COUNT_AT(peer->device, rx_bytes, length);
  }
  if (status == STATUS_OK && work->has_immediate) {
    work->is_written = true;
    send_packet(qp, work, peer->mailbox, length);
    return;
  }
  complete(qp, work, status, length);
}

static enum status find_peer(struct queue_pair* qp, const struct work* work, struct peer** peer) {
  if (!work->is_addressed) return STATUS_INVALID_AH;
  switch (wire_find(&qp->peers, &work->gid, work->qpn, peer)) {
    case PEER_NO_HOST:
      return STATUS_UNREACHABLE;
    case PEER_NO_QUEUE_PAIR:
      return STATUS_REMOTE_BAD_QPN;
    case PEER_FOUND:
      break;
  }
  const struct mailbox* mailbox = (*peer)->mailbox;
  if (mailbox->is_datagram != qp->is_datagram || (mailbox->is_ready && mailbox->qkey != work->qkey))
    return STATUS_REMOTE_BAD_QPN;
  return STATUS_OK;
}

/* Now, with nothing in the way but the receiver. */
static void attempt(struct queue_pair* qp, struct work* work) {
  uint64_t length = work->inline_bytes >= 0 ? (uint64_t)work->inline_bytes : length_of(work->sges, work->sge_count);
  struct peer* peer = NULL;
  enum status status = find_peer(qp, work, &peer);

  if (qp->is_datagram && (status == STATUS_REMOTE_BAD_QPN || status == STATUS_UNREACHABLE)) {
    /* nobody tells the sender of a datagram */
    complete(qp, work, STATUS_OK, length);
    return;
  }
  if (status == STATUS_OK && work->operation != OPERATION_SEND) {
    if (work->is_written)
      send_packet(qp, work, peer->mailbox, length);
    else
      access_memory(qp, work, peer, length);
    return;
  }
  if (status == STATUS_OK && length > MTU) status = STATUS_BAD_LENGTH;
  if (status == STATUS_OK && work->inline_bytes < 0 && !are_registered(qp, work->sges, work->sge_count, 0))
    status = STATUS_INVALID_LKEY;
  if (status == STATUS_OK)
    send_packet(qp, work, peer->mailbox, length);
  else
    complete(qp, work, status, length);
}

/* What was posted: the faults come first, once for each. */
void transmit(struct queue_pair* qp, struct work* work) {
  enum status status = faults_next(&qp->faults, work->operation);
  uint64_t length = length_of(work->sges, work->sge_count);

  if (status != STATUS_OK) {
    COUNT(qp->context, softefa_injected, 1);
    complete(qp, work, status, length);
    return;
  }
  if (faults_happens(&qp->faults, qp->faults.drop_percent)) {
    if (qp->is_datagram) {
      COUNT(qp->context, rx_drops, 1);
      complete(qp, work, STATUS_OK, length);
      return;
    }
    COUNT(qp->context, retrans_timeout_events, 1);
    COUNT(qp->context, retrans_pkts, 1);
    COUNT(qp->context, retrans_bytes, length);
    wait_until(qp, work, nanoseconds() + RETRANSMISSION_NANOSECONDS);
    return;
  }
  if (faults_happens(&qp->faults, qp->faults.delay_percent)) {
    COUNT(qp->context, softefa_delayed, 1);
    wait_until(qp, work, nanoseconds() + DELAY_NANOSECONDS);
    return;
  }
  /* behind those that wait for room, or they would never have any */
  if (qp->first != NULL && qp->first->waits_for_room)
    wait_until(qp, work, 0);
  else
    attempt(qp, work);
}

void transmit_waiting(struct queue_pair* qp, uint64_t now) {
  if (qp->first == NULL) return;
  pthread_mutex_lock(&qp->lock);
  struct work* work = qp->first;
  qp->first = NULL;
  qp->last = &qp->first;
  while (work != NULL) {
    struct work* next = work->next;

    if (work->due > now)
      wait_until(qp, work, work->due);
    else
      attempt(qp, work);
    work = next;
  }
  pthread_mutex_unlock(&qp->lock);
}

/* ---- the other end ---- */

static enum status scatter(struct queue_pair* qp, const struct receive* receive, const struct packet* packet) {
  const uint8_t* from = packet->bytes;
  uint32_t left = packet->length, skip = qp->is_datagram ? GRH_BYTES : 0;

  if (length_of(receive->sges, receive->sge_count) < (uint64_t)left + skip) return STATUS_BAD_LENGTH;
  if (!are_registered(qp, receive->sges, receive->sge_count, IBV_ACCESS_LOCAL_WRITE)) return STATUS_INVALID_LKEY;
  for (int i = 0; i < receive->sge_count && left > 0; i++) {
    uint32_t skipped = skip < receive->sges[i].length ? skip : receive->sges[i].length;
    uint32_t room = receive->sges[i].length - skipped, part = left < room ? left : room;

    memcpy((uint8_t*)(uintptr_t)receive->sges[i].addr + skipped, from, part);
    skip -= skipped;
    from += part;
    left -= part;
  }
  return STATUS_OK;
}

static void receive_one(struct queue_pair* qp, const struct packet* packet) {
  bool is_free = packet->is_write && qp->mailbox->takes_unsolicited_writes;
  struct completion completion = {
      .queue_pair = qp,
      .opcode = packet->is_write ? IBV_WC_RECV_RDMA_WITH_IMM : IBV_WC_RECV,
      .length = packet->length + (qp->is_datagram ? GRH_BYTES : 0),
      .source = packet->source,
      .source_qpn = packet->source_qpn,
      .slid = device_ah_of(qp->context, &packet->source),
      .immediate = packet->immediate,
      .flags = packet->has_immediate ? IBV_WC_WITH_IMM : 0,
      .is_unsolicited = is_free,
      .status = faults_next(&qp->faults, OPERATION_RECEIVE),
  };

  if (completion.status != STATUS_OK) COUNT(qp->context, softefa_injected, 1);
  if (is_free) COUNT(qp->context, softefa_unsolicited, 1);
  if (!is_free) {
    const struct receive* receive = &qp->receives[qp->receive_head++ % qp->receive_size];

    completion.id = receive->id;
    if (completion.status == STATUS_OK && !packet->is_write) completion.status = scatter(qp, receive, packet);
  }
  if (!packet->is_write) {
    COUNT(qp->context, recv_wrs, 1);
    COUNT(qp->context, recv_bytes, packet->length);
    COUNT(qp->context, rx_bytes, packet->length);
  }
  COUNT(qp->context, rx_pkts, 1);
  completion_queue_add(qp->receive_queue, &completion);
}

void receive_packets(struct queue_pair* qp) {
  struct mailbox* mailbox = qp->mailbox;
  uint64_t head = mailbox->head;

  if (atomic_load_explicit(&mailbox->tail, memory_order_acquire) == head) return;
  pthread_mutex_lock(&qp->lock);
  /* no more than there are: the peers go on meanwhile */
  for (uint64_t tail = mailbox->tail; head != tail; head++) {
    receive_one(qp, &mailbox->slots[head % mailbox->count]);
    atomic_store_explicit(&mailbox->head, head + 1, memory_order_release);
  }
  pthread_mutex_unlock(&qp->lock);
}
