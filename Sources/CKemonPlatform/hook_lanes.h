/* SPDX-License-Identifier: Apache-2.0
 * Who is inside which hook. Every thread notes the hooks that it is in on a page of its own, so that threads share
 * nothing on the path of a hooked call; whoever takes a hook out looks at all pages. */
#ifndef CKEMON_HOOK_LANES_H
#define CKEMON_HOOK_LANES_H
#include <stdatomic.h>
#include <stdint.h>

/* As many hooked calls of one thread inside each other are noted; more are counted elsewhere. */
#define CKEMON_LANE_SLOTS 500

typedef struct ckemon_lane {
  struct ckemon_lane *next;
  atomic_uint owned;                                   /* 1: a thread has it */
  uint32_t hint;                                       /* where to look for a free slot; its thread only */
  _Atomic(const void *) inside[CKEMON_LANE_SLOTS]; /* hooks, NULL = free */
} ckemon_lane;

extern _Thread_local ckemon_lane *ckemon_own_lane __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* 1 when ckemon_lanes_barrier does the work of a fence in every thread. */
extern int ckemon_lanes_are_asymmetric __attribute__((visibility("hidden")));

/* To be called once before any lane is used; more often is harmless. */
void ckemon_lanes_prepare(void);

/* The calling thread's lane, made now; NULL without memory, or when it is just being made. */
ckemon_lane *ckemon_lane_make(void);

/* How often the hook is noted in all lanes. */
uint32_t ckemon_lanes_count(const void *hook);

/* Orders what every thread did before against what it does after, as a fence in each of them would. */
void ckemon_lanes_barrier(void);

/* Notes that the calling thread is in the hook and returns the slot, or CKEMON_LANE_SLOTS when all are in use.
 * A signal handler may come in anywhere: its own notes are gone when it returns. */
static inline uint32_t ckemon_lane_enter(ckemon_lane *lane, const void *hook) {
  uint32_t slot = lane->hint;
  while (slot < CKEMON_LANE_SLOTS && atomic_load_explicit(&lane->inside[slot], memory_order_relaxed) != NULL)
    slot++;
  if (slot < CKEMON_LANE_SLOTS) {
    atomic_store_explicit(&lane->inside[slot], hook, memory_order_relaxed);
    lane->hint = slot + 1;
  }
  return slot;
}

static inline void ckemon_lane_leave(ckemon_lane *lane, uint32_t slot) {
  atomic_store_explicit(&lane->inside[slot], NULL, memory_order_release);
  /* A call that is left on another thread (a coroutine) must not touch that lane's hint. */
  if (lane == ckemon_own_lane)
    lane->hint = slot;
}
#endif
