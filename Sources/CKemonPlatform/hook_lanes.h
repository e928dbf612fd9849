/* SPDX-License-Identifier: Apache-2.0
 * Who is inside which hook. Every thread notes the calls that it is in on a page of its own, so that threads share
 * nothing on the path of a hooked call; whoever takes handlers out looks at all pages. */
#ifndef CKEMON_HOOK_LANES_H
#define CKEMON_HOOK_LANES_H
#include <stdatomic.h>
#include <stdint.h>

/* As many hooked calls of one thread inside each other are noted; more are counted elsewhere. */
#define CKEMON_LANE_SLOTS 240
/* As many handlers of one thread inside each other are known, for the guard against calls of their own function. */
#define CKEMON_LANE_RUNNING 12

typedef struct ckemon_lane {
  struct ckemon_lane *next;
  atomic_uint owned;                            /* 1: a thread has it */
  uint32_t hint;                                /* where to look for a free slot; its thread only */
  uintptr_t stack_low, stack_high;              /* its thread's own stack; its thread only */
  const void *running[CKEMON_LANE_RUNNING];     /* hooks whose handlers run now, outermost first; its thread only */
  uint32_t depth;                               /* how many */
  uint32_t reserved;
  _Atomic(const void *) inside[CKEMON_LANE_SLOTS]; /* handler tables that calls use, NULL = free */
  uintptr_t frame[CKEMON_LANE_SLOTS];           /* where these calls have their frames; its thread only */
} ckemon_lane;

extern _Thread_local ckemon_lane *ckemon_own_lane __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* 1 when ckemon_lanes_barrier does the work of a fence in every thread. */
extern int ckemon_lanes_are_asymmetric __attribute__((visibility("hidden")));

/* To be called once before any lane is used; more often is harmless. */
void ckemon_lanes_prepare(void);

/* The calling thread's lane, made now; NULL without memory, or when it is just being made. */
ckemon_lane *ckemon_lane_make(void);

/* How often the table is noted in all lanes. */
uint32_t ckemon_lanes_count(const void *table);

/* Orders what every thread did before against what it does after, as a fence in each of them would. */
void ckemon_lanes_barrier(void);

/* Drops notes of calls that were left by longjmp: frames below that of a new call on the same stack are gone. */
static inline void ckemon_lane_reap(ckemon_lane *lane, uintptr_t frame) {
  if (frame - lane->stack_low >= lane->stack_high - lane->stack_low)
    return;
  for (uint32_t slot = lane->hint; slot-- > 0;) {
    uintptr_t old = lane->frame[slot];
    if (atomic_load_explicit(&lane->inside[slot], memory_order_relaxed) == NULL) {
      lane->hint = slot;
      continue;
    }
    if (old > frame || old < lane->stack_low)
      return;
    atomic_store_explicit(&lane->inside[slot], NULL, memory_order_release);
    lane->hint = slot;
  }
}

/* Finds a slot for a call, or CKEMON_LANE_SLOTS when all are in use. A signal handler may come in anywhere: its own
 * notes are gone when it returns. */
static inline uint32_t ckemon_lane_slot(ckemon_lane *lane) {
  uint32_t slot = lane->hint;
  while (slot < CKEMON_LANE_SLOTS && atomic_load_explicit(&lane->inside[slot], memory_order_relaxed) != NULL)
    slot++;
  return slot;
}

static inline void ckemon_lane_leave(ckemon_lane *lane, uint32_t slot) {
  atomic_store_explicit(&lane->inside[slot], NULL, memory_order_release);
  /* A call that is left on another thread (a coroutine) must not touch that lane's hint. */
  if (lane == ckemon_own_lane)
    lane->hint = slot;
}

static inline int ckemon_lane_is_running(const ckemon_lane *lane, const void *hook) {
  for (uint32_t i = 0; i < lane->depth && i < CKEMON_LANE_RUNNING; i++)
    if (lane->running[i] == hook)
      return 1;
  return 0;
}
#endif
