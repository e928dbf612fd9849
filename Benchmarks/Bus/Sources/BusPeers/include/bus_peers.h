/* SPDX-License-Identifier: Apache-2.0
 * The field's queues behind one face. Every contestant does the same work:
 *   - a producer makes an event in memory of its own, writes its number into it, and hands it over, one at a time, as
 *     events happen;
 *   - a subscriber takes as many as are there, checks their order, and reads a word of every cache line;
 *   - whoever cannot go on waits by bench_relax;
 *   - roles that have to share a core are played by one thread in turn. */
#ifndef BUS_PEERS_H
#define BUS_PEERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  BUS_SIZE_MIX = 0,      /* the size of a load whose events have the sizes of real records */
  BUS_SLOTS = 4096,      /* places of every contestant's queue */
  BUS_BATCH = 64,        /* how many a subscriber takes at a time, and a producer hands over in its turn */
  BUS_ENDLESS = 1 << 30, /* a turn that lasts until a queue is full */
  BUS_CELL_BYTES = 304,  /* a record of the mix that is larger travels as a block of its own */
  BUS_SIZES_LIMIT = 4096 /* sizes of a mix, drawn one after the other and over again */
};

/* What one round does. */
typedef struct bus_load {
  uint32_t size;            /* bytes of an event: 64, 128, 256 or BUS_SIZE_MIX */
  uint32_t producers;       /* threads that publish */
  uint32_t subscribers;     /* threads that each see every event */
  uint32_t events;          /* of all producers together */
  uint32_t interval_ns;     /* between two events when the rate is fixed */
  uint32_t cpus;            /* cores, from 0 */
  const uint16_t *sizes;    /* of a mix; multiples of 8 */
  uint32_t sizes_count;
} bus_load;

/* What a round gave. */
typedef struct bus_result {
  double total_ns;
  double p50_ns, p99_ns;
  bool is_right;   /* nothing lost, nothing doubled */
  bool is_ordered; /* the events of each producer came in its order */
} bus_result;

typedef bus_result (*bus_run)(const bus_load *load);

/* A contestant. What it cannot do is NULL. */
typedef struct bus_peer {
  const char *name;
  const char *package;
  bool keeps_order;   /* with many producers, too; a round out of order is an error then */
  bus_run one_to_one; /* 1 producer, 1 subscriber */
  bus_run fan_out;    /* 1 producer, n subscribers: a queue for each */
  bus_run fan_in;     /* n producers, 1 subscriber */
  bus_run ping_pong;  /* an event there, a verdict back; a queue for each way */
  bus_run fixed_rate; /* one way, at a fixed rate */
} bus_peer;

/* All contestants. Static storage. */
const bus_peer *const *bus_peers(size_t *count);

/* The core of role `index`, producers before subscribers: producers spread from the first core up, so that they compete
 * for real; subscribers from the last one down, away from the producers as long as cores last. */
static inline int bus_cpu(const bus_load *load, uint32_t index) {
  if (index < load->producers) return (int)(index % load->cpus);
  uint32_t spare = load->cpus > load->producers ? load->cpus - load->producers : 1;
  return (int)(load->cpus - 1 - (index - load->producers) % spare);
}

/* Whether a core has any role. A core with several has one thread that plays them in turn, so that the figure is the
 * queue's and not the scheduler's. */
static inline bool bus_has_role(const bus_load *load, uint32_t cpu) {
  for (uint32_t i = 0; i < load->producers + load->subscribers; i++) {
    if (bus_cpu(load, i) == (int)cpu) return true;
  }
  return false;
}

#ifdef __cplusplus
}
#endif
#endif
