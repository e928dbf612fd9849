/* SPDX-License-Identifier: Apache-2.0
 * Threads that call one function as fast as they can while somebody else hooks and unhooks it. */
#ifndef HOOK_STRESS_H
#define HOOK_STRESS_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* A function as compilers make it, and one that adds to a number by compare and swap, over and over until it succeeds;
 * its loop goes back into its first bytes. */
#define STRESS_PLAIN 0
#define STRESS_RETRY 1
const void *stress_function(int kind);

/* What all threads share. */
typedef struct stress_shared {
  _Atomic(uint64_t) stop;         /* set to 1 to let the callers return */
  _Atomic(uint64_t) pre, post;    /* handlers that were called */
  _Atomic(uint64_t) unpaired;     /* post handlers that did not find what their pre handler left */
  _Alignas(64) uint64_t number;   /* what STRESS_RETRY adds to */
} stress_shared;

stress_shared *stress_make(void);
void stress_free(stress_shared *shared);
void stress_stop(stress_shared *shared);
uint64_t stress_pre_count(const stress_shared *shared);
uint64_t stress_post_count(const stress_shared *shared);
uint64_t stress_unpaired_count(const stress_shared *shared);

/* What one caller saw. */
typedef struct stress_result {
  uint64_t calls, wrong;
  uint64_t added;       /* by STRESS_RETRY: the sum over all callers is the number in the end */
  uint64_t longest_gap; /* nanoseconds between two calls */
} stress_result;

/* Calls until it is stopped. */
stress_result stress_call(int kind, stress_shared *shared);

/* Handlers; the context is the stress_shared, the frame a ckemon_hook_frame, of which only scratch is touched. */
int32_t stress_pre(void *shared, uint64_t *scratch);
void stress_post(void *shared, uint64_t *scratch);
/* The same, with memory from malloc that lives from pre to post. */
int32_t stress_pre_allocating(void *shared, uint64_t *scratch);
void stress_post_allocating(void *shared, uint64_t *scratch);
#endif
