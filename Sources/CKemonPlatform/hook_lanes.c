/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_lanes.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(ckemon_lane) == CKEMON_LANE_SIZE, "a lane is one page, and begins with it");
_Static_assert(offsetof(ckemon_lane, top) == CKEMON_LANE_TOP, "top moved");
_Static_assert(offsetof(ckemon_lane, limit) == CKEMON_LANE_LIMIT, "limit moved");
_Static_assert(offsetof(ckemon_lane, notes) == offsetof(ckemon_lane, bottom) + sizeof(ckemon_note), "no bottom");
_Static_assert(offsetof(ckemon_note, frame) == CKEMON_NOTE_FRAME, "frame moved");
_Static_assert(sizeof(ckemon_note) == CKEMON_NOTE_SIZE, "a note changed its size");

/* A race detector sees what C does: with one, the thunks leave the notes to it. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THUNKS_MAY_NOTE 0
#endif
#endif
#ifndef THUNKS_MAY_NOTE
#define THUNKS_MAY_NOTE 1
#endif

_Thread_local ckemon_lane *ckemon_own_lane;
int ckemon_lanes_are_asymmetric;

static _Atomic(ckemon_lane *) lanes;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* 1 while the thread's lane is made: what that calls may be hooked, and would want a lane. */
static _Thread_local int making __attribute__((tls_model("initial-exec")));

/* A thread that is gone is in no call any more. */
static void clear(ckemon_lane *lane) {
  atomic_store_explicit(&lane->top, lane->notes, memory_order_release);
  lane->depth = 0;
  atomic_store(&lane->owned, 0);
}

/* At the end of its thread: the next thread takes the lane. A destructor that runs later may make a new one. */
static void give_back(void *lane) {
  ckemon_own_lane = NULL;
  clear(lane);
}

/* Where the calling thread's own stack lies; nowhere when that is not known, and then nothing is dropped. */
static void measure_stack(ckemon_lane *lane) {
  pthread_attr_t attributes;
  void *low = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
  }
  lane->stack_low = (uintptr_t)low;
  lane->stack_high = (uintptr_t)low + size;
}

/* In a forked child the other threads do not exist, and neither do their calls. */
static void after_fork(void) {
  for (ckemon_lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    if (lane != ckemon_own_lane)
      clear(lane);
  }
}

static void prepare(void) {
  pthread_key_create(&key, give_back);
  pthread_atfork(NULL, NULL, after_fork);
  ckemon_lanes_are_asymmetric = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void ckemon_lanes_prepare(void) { pthread_once(&once, prepare); }

ckemon_lane *ckemon_lane_make(void) {
  if (making)
    return NULL;
  making = 1;
  ckemon_lane *lane = atomic_load(&lanes);
  for (; lane != NULL; lane = lane->next) {
    unsigned free = 0;
    if (atomic_load_explicit(&lane->owned, memory_order_relaxed) == 0 &&
        atomic_compare_exchange_strong(&lane->owned, &free, 1))
      break;
  }
  if (lane == NULL) {
    /* Not from malloc, which may itself be hooked. Fresh pages are zero. */
    lane = mmap(NULL, sizeof *lane, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (lane == MAP_FAILED) {
      making = 0;
      return NULL;
    }
    atomic_store(&lane->owned, 1);
    atomic_store(&lane->top, lane->notes);
    atomic_store(&lane->bottom.frame, UINTPTR_MAX);
    /* Where a barrier can not stand in for it, a call needs a fence, which C makes. */
    lane->limit = ckemon_lanes_are_asymmetric && THUNKS_MAY_NOTE ? lane->notes + CKEMON_LANE_NOTES : lane->notes;
    lane->next = atomic_load(&lanes);
    while (!atomic_compare_exchange_weak(&lanes, &lane->next, lane))
      ;
  }
  measure_stack(lane);
  ckemon_own_lane = lane;
  pthread_setspecific(key, lane);
  making = 0;
  return lane;
}

uint32_t ckemon_lanes_count(const void *table) {
  uint32_t count = 0;
  for (ckemon_lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next) {
    const ckemon_note *top = atomic_load_explicit(&lane->top, memory_order_acquire);
    for (const ckemon_note *note = lane->notes; note < top; note++)
      count += (atomic_load_explicit(&note->table, memory_order_acquire) & ~(uintptr_t)CKEMON_NOTE_FLAGS) ==
               (uintptr_t)table;
  }
  return count;
}

void ckemon_lanes_barrier(void) {
  if (ckemon_lanes_are_asymmetric)
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  atomic_thread_fence(memory_order_seq_cst);
}

/* Drops the uppermost notes of calls that are gone: cleared ones, and on the thread's own stack those whose frame is not
 * above the given one. */
static ckemon_note *drop(ckemon_lane *lane, uintptr_t frame) {
  ckemon_note *top = atomic_load_explicit(&lane->top, memory_order_relaxed);
  int is_own_stack = frame - lane->stack_low < lane->stack_high - lane->stack_low;
  for (; top != lane->notes; top--) {
    uintptr_t old = atomic_load_explicit(&top[-1].frame, memory_order_acquire);
    if (old != 0 && !(is_own_stack && old >= lane->stack_low && old <= frame))
      break;
  }
  atomic_store_explicit(&lane->top, top, memory_order_release);
  return top;
}

ckemon_note *ckemon_lane_find(ckemon_lane *lane, uintptr_t frame) {
  ckemon_note *top = drop(lane, frame);
  return top == lane->notes + CKEMON_LANE_NOTES ? NULL : top;
}

void ckemon_lane_leave(ckemon_note *note, uintptr_t frame) {
  ckemon_lane *lane = (ckemon_lane *)((uintptr_t)note & ~(uintptr_t)(CKEMON_LANE_SIZE - 1));
  if (lane == ckemon_own_lane) {
    /* Calls inside this one that were left by longjmp are over, too. */
    ckemon_note *top = atomic_load_explicit(&lane->top, memory_order_relaxed);
    if (top != note + 1)
      top = drop(lane, frame);
    if (top == note + 1)
      atomic_store_explicit(&lane->top, note, memory_order_release);
    if (top <= note + 1)
      return;
  }
  /* The frame last: from then on the lane's thread may use the note for another call. */
  atomic_store_explicit(&note->table, 0, memory_order_release);
  atomic_store_explicit(&note->frame, 0, memory_order_release);
}
