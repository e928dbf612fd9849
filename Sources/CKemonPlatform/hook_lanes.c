/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_lanes.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(ckemon_lane) <= 4096, "a lane is one page");

_Thread_local ckemon_lane *ckemon_own_lane;
int ckemon_lanes_are_asymmetric;

static _Atomic(ckemon_lane *) lanes;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* 1 while the thread's lane is made: what that calls may be hooked, and would want a lane. */
static _Thread_local int making __attribute__((tls_model("initial-exec")));

/* A thread that is gone is in no call any more. */
static void clear(ckemon_lane *lane) {
  for (int i = 0; i < CKEMON_LANE_SLOTS; i++)
    atomic_store_explicit(&lane->inside[i], NULL, memory_order_relaxed);
  lane->hint = 0;
  lane->depth = 0;
  atomic_store(&lane->owned, 0);
}

/* At the end of its thread: the next thread takes the lane. A destructor that runs later may make a new one. */
static void give_back(void *lane) {
  ckemon_own_lane = NULL;
  clear(lane);
}

/* Where the calling thread's own stack lies; nowhere when that is not known, and then nothing is reaped. */
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
  for (ckemon_lane *lane = atomic_load(&lanes); lane != NULL; lane = lane->next)
    for (int i = 0; i < CKEMON_LANE_SLOTS; i++)
      count += atomic_load_explicit(&lane->inside[i], memory_order_acquire) == table;
  return count;
}

void ckemon_lanes_barrier(void) {
  if (ckemon_lanes_are_asymmetric)
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
  atomic_thread_fence(memory_order_seq_cst);
}
