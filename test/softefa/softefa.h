/*
 * What the files of the device share. README.md says what it is, and how to read it.
 */
#ifndef SOFTEFA_H
#define SOFTEFA_H

#include <infiniband/efadv.h>
#include <infiniband/verbs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* macros over inline functions: here are the functions that they call */
#undef ibv_query_port
#undef ibv_reg_mr

#define PUBLIC __attribute__((visibility("default")))

enum {
  MTU = 8928,
  GRH_BYTES = 40, /* room that a datagram leaves at the start of its receive buffer */
  INLINE_BYTES = 32,
  MAX_SGE = 2,
  MAX_QP = 4096, /* also the number space of queue pairs: libfabric indexes a table by it */
  MAX_AH = 4096,
  MAX_MR = 65536,
  NO_AH = 0xffff,
  PATH_BYTES = 256,
};

/* How an operation ended: the numbers that an EFA puts into its completions. */
enum status {
  STATUS_OK = 0,
  STATUS_INVALID_AH = 4,
  STATUS_INVALID_LKEY = 5,
  STATUS_BAD_LENGTH = 6,
  STATUS_REMOTE_BAD_ADDRESS = 7,
  STATUS_REMOTE_ABORT = 8,
  STATUS_REMOTE_BAD_QPN = 9,
  STATUS_REMOTE_NOT_READY = 10,
  STATUS_REMOTE_BAD_LENGTH = 11,
  STATUS_UNRESPONSIVE = 13,
  STATUS_UNREACHABLE = 15,
};

/* ---- what an EFA shows in hw_counters, of its port and of itself, and what only this device can know ---- */

// clang-format off
#define FOR_EACH_PORT_COUNTER(X) \
  X(tx_bytes) X(tx_pkts) X(rx_bytes) X(rx_pkts) X(rx_drops) \
  X(send_bytes) X(send_wrs) X(recv_bytes) X(recv_wrs) \
  X(rdma_read_wrs) X(rdma_read_bytes) X(rdma_read_wr_err) X(rdma_read_resp_bytes) \
  X(rdma_write_wrs) X(rdma_write_bytes) X(rdma_write_wr_err) X(rdma_write_recv_bytes) \
  X(retrans_bytes) X(retrans_pkts) X(retrans_timeout_events) \
  X(unresponsive_remote_events) X(impaired_remote_conn_events)
#define FOR_EACH_DEVICE_COUNTER(X) \
  X(submitted_cmds) X(completed_cmds) X(cmds_err) X(no_completion_cmds) X(keep_alive_rcvd) \
  X(alloc_pd_err) X(create_qp_err) X(create_cq_err) X(reg_mr_err) X(alloc_ucontext_err) X(create_ah_err) X(mmap_err)
#define FOR_EACH_STATISTIC(X) \
  X(softefa_rnr) X(softefa_delayed) X(softefa_injected) X(softefa_unsolicited)
// clang-format on

struct counters {
#define FIELD(name) _Atomic uint64_t name;
  FOR_EACH_PORT_COUNTER(FIELD)
  FOR_EACH_DEVICE_COUNTER(FIELD)
  FOR_EACH_STATISTIC(FIELD)
#undef FIELD
};

/* ---- wire.c: what processes share, a file each, mapped by whoever needs it ---- */

/* Of a device: it exists as long as its host has power. */
struct shared_device {
  _Atomic uint32_t next_qpn;
  struct counters counters;
};

/* Registered memory of a process. An entry is valid when its key is the one that was asked for. */
struct region {
  _Atomic uint32_t key;
  uint32_t access;
  uint32_t pd;
  uint64_t address;
  uint64_t length;
};

struct packet {
  union ibv_gid source;
  uint32_t source_qpn;
  uint32_t length;
  __be32 immediate;
  bool has_immediate;
  bool is_write; /* tells of a write that has happened: there are no bytes */
  uint8_t bytes[MTU];
};

/* Where the packets to a queue pair go. `count` slots, of which tail - head are full. */
struct mailbox {
  _Atomic uint32_t is_ready; /* the queue pair can receive */
  _Atomic uint32_t is_gone;
  pid_t pid;
  uint32_t pd;
  uint32_t qkey;
  bool is_datagram;
  bool takes_unsolicited_writes;
  char regions[PATH_BYTES];
  pthread_mutex_t lock;     /* of those who put packets in; robust, since they may be killed */
  _Atomic int32_t receives; /* posted, and not yet spoken for by a packet */
  uint32_t count;
  _Atomic uint64_t head;
  _Atomic uint64_t tail;
  struct packet slots[];
};

/* A mapping of another queue pair's mailbox and of its process's regions. */
struct peer {
  struct peer* next;
  union ibv_gid gid;
  uint32_t qpn;
  struct mailbox* mailbox;
  size_t bytes;
  struct region* regions;
  struct shared_device* device;
  int fd;
  uint64_t seen_alive;
};

enum finding { PEER_FOUND, PEER_NO_HOST, PEER_NO_QUEUE_PAIR };

struct shared_device* wire_device(const union ibv_gid* gid);
struct region* wire_regions(const union ibv_gid* gid, char path[PATH_BYTES], int* fd);
struct mailbox* wire_mailbox(const union ibv_gid* gid, struct shared_device* device, uint32_t count, uint32_t* qpn,
                             int* fd);
void wire_remove_mailbox(const union ibv_gid* gid, uint32_t qpn, struct mailbox* mailbox, int fd);
enum finding wire_find(struct peer** list, const union ibv_gid* gid, uint32_t qpn, struct peer** found);
bool wire_is_alive(struct peer* peer);
void wire_forget(struct peer** list);
bool wire_lock(struct mailbox* mailbox);

/* ---- device.c, sysfs.c ---- */

struct device {
  struct ibv_device base; /* first: libfabric holds its address */
  union ibv_gid gid;
  bool is_efa;
};

struct context {
  struct device* device;
  struct shared_device* shared;
  struct region* regions;
  char regions_path[PATH_BYTES];
  int regions_fd;
  pthread_mutex_t lock; /* of what follows */
  uint32_t next_pd;
  uint32_t next_region;
  struct {
    union ibv_gid gid;
    uint32_t users;
  } ahs[MAX_AH];
  uint64_t counters_written;
  uint64_t written[sizeof(struct counters) / sizeof(uint64_t)];
  struct verbs_context verbs; /* last: it ends with the ibv_context, which libfabric knows */
};

struct protection_domain {
  struct ibv_pd base;
  uint32_t number;
};

struct address_handle {
  struct ibv_ah base;
  union ibv_gid gid;
  uint16_t number;
};

struct context* context_of(struct ibv_context* base);
uint16_t device_ah_of(struct context* context, const union ibv_gid* gid);
void sysfs_make(struct device* device, int index);
void sysfs_write_counters(struct context* context, uint64_t now);

#define COUNT_AT(device, name, amount) \
  atomic_fetch_add_explicit(&(device)->counters.name, (amount), memory_order_relaxed)
#define COUNT(context, name, amount) COUNT_AT((context)->shared, name, amount)

/* An order to the device, as the kernel counts them. */
#define COUNT_COMMAND(context, has_failed, error) \
  do {                                            \
    COUNT(context, submitted_cmds, 1);            \
    COUNT(context, completed_cmds, 1);            \
    if (has_failed) {                             \
      COUNT(context, cmds_err, 1);                \
      COUNT(context, error, 1);                   \
    }                                             \
  } while (0)

/* ---- memory.c ---- */

const struct region* memory_find(const struct region* regions, uint32_t key, uint32_t pd, uint64_t address,
                                 uint64_t length, uint32_t access);

/* ---- queue_pair.c, transmit.c, completion_queue.c ---- */

enum operation { OPERATION_SEND, OPERATION_READ, OPERATION_WRITE, OPERATION_RECEIVE, OPERATION_COUNT };

/* Something to transmit, from its posting to its completion. */
struct work {
  struct work* next;
  struct queue_pair* queue_pair;
  uint64_t id;
  enum operation operation;
  bool is_addressed;
  union ibv_gid gid;
  uint32_t qpn;
  uint32_t qkey;
  uint32_t remote_key;
  uint64_t remote_address;
  bool has_immediate;
  __be32 immediate;
  int sge_count;
  struct ibv_sge sges[MAX_SGE];
  int inline_bytes; /* < 0: the data is in the sges */
  uint8_t data[INLINE_BYTES];
  bool is_written; /* a write whose bytes are there: only the immediate data remains */
  bool waits_for_room;
  bool is_tried;
  uint32_t refusals; /* by a receiver that was not ready */
  uint64_t due;
};

struct receive {
  uint64_t id;
  int sge_count;
  struct ibv_sge sges[MAX_SGE];
};

/* faults.c: what shall go wrong, read from the environment when a queue pair is created */
struct faults {
  uint64_t random;
  uint32_t drop_percent;
  uint32_t delay_percent;
  struct fault {
    enum operation operation;
    uint64_t at;
    bool is_lasting;
    enum status status;
  } list[8];
  int count;
  uint64_t done[OPERATION_COUNT];
};

void faults_read(struct faults* faults, uint32_t qpn);
enum status faults_next(struct faults* faults, enum operation operation);
bool faults_happens(struct faults* faults, uint32_t percent);
uint64_t faults_number(const char* name, uint64_t otherwise);
bool faults_has(const char* name, const char* word, const char* otherwise);

struct completion {
  struct queue_pair* queue_pair;
  struct work* work; /* whose room in the send queue is free again when this has been read */
  uint64_t id;
  enum ibv_wc_opcode opcode;
  enum status status;
  uint32_t length;
  uint32_t source_qpn;
  uint32_t slid;
  union ibv_gid source;
  __be32 immediate;
  unsigned int flags;
  bool is_unsolicited;
};

struct completion_queue {
  union {
    struct ibv_cq base;
    struct ibv_cq_ex extended;
  };
  struct efadv_cq_new {
    uint64_t comp_mask;
    int (*wc_read_sgid)(struct efadv_cq* cq, union ibv_gid* gid);
    bool (*wc_is_unsolicited)(struct efadv_cq* cq);
  } efa;
  pthread_mutex_t polling; /* from start to end of a poll, in which the provider posts */
  struct completion current;
  uint32_t empty_polls;
  uint32_t qpn; /* of the current one: its queue pair may be gone by the time it is asked */
  struct queue_pair* queue_pairs[2 * MAX_QP];
  int queue_pair_count;
  pthread_mutex_t lock; /* of what follows */
  struct completion* ring;
  uint32_t size; /* a power of two */
  uint32_t head, tail;
};

struct queue_pair {
  union {
    struct ibv_qp base;
    struct ibv_qp_ex extended;
  };
  struct context* context;
  struct completion_queue *send_queue, *receive_queue;
  struct mailbox* mailbox;
  int mailbox_fd;
  bool is_datagram;
  uint32_t pd;
  uint32_t rnr_retry;
  struct faults faults;
  pthread_mutex_t lock; /* of what follows */
  struct peer* peers;
  struct work* works; /* all of them */
  struct work* free_works;
  struct work *first, **last;                    /* that could not be transmitted at once */
  struct work *staged, **staged_last, *building; /* between wr_start and wr_complete */
  int staged_error;
  struct receive* receives;
  uint32_t receive_size, receive_head, receive_tail;
};

/* for IBV_QPT_DRIVER, the reliable datagrams of EFA */
struct ibv_qp* queue_pair_create(struct ibv_pd* pd, const struct ibv_qp_init_attr* attributes, bool takes_writes);
void queue_pair_set_posting(struct queue_pair* qp);
int queue_pair_post_send(struct ibv_qp* base, struct ibv_send_wr* wr, struct ibv_send_wr** bad);
int queue_pair_post_receive(struct ibv_qp* base, struct ibv_recv_wr* wr, struct ibv_recv_wr** bad);
void queue_pair_release(struct work* work);

void transmit(struct queue_pair* qp, struct work* work);
void transmit_waiting(struct queue_pair* qp, uint64_t now);
void receive_packets(struct queue_pair* qp);

void completion_queue_add(struct completion_queue* queue, const struct completion* completion);
void completion_queue_attach(struct completion_queue* queue, struct queue_pair* qp);
void completion_queue_detach(struct completion_queue* queue, struct queue_pair* qp);
struct ibv_cq_ex* completion_queue_create(struct ibv_context* base, struct ibv_cq_init_attr_ex* attributes);
int completion_queue_arm(struct ibv_cq* base, int solicited_only);

uint64_t nanoseconds(void);
_Static_assert(offsetof(struct completion_queue, base) == 0, "libfabric holds its address");

#endif
