/* SPDX-License-Identifier: Apache-2.0
 * Threads that call one function as fast as they can while somebody else hooks and unhooks it. */
#ifndef HOOK_STRESS_H
#define HOOK_STRESS_H
#include <stddef.h>
#include <stdint.h>

/* A function as compilers make it, and one that adds to a number by compare and swap, over and over until it succeeds;
 * its loop goes back into its first bytes. */
#define STRESS_PLAIN 0
#define STRESS_RETRY 1
const void *stress_function(int kind);

/* What all threads share: whether to stop, what handlers have counted, and what STRESS_RETRY adds to. */
typedef struct stress_shared stress_shared;

stress_shared *stress_make(void);
void stress_free(stress_shared *shared);
void stress_stop(stress_shared *shared);
uint64_t stress_pre_count(const stress_shared *shared);
uint64_t stress_post_count(const stress_shared *shared);
/* Post handlers that did not find what their pre handler left. */
uint64_t stress_unpaired_count(const stress_shared *shared);
/* What STRESS_RETRY has added up; read when all callers have returned. */
uint64_t stress_number(const stress_shared *shared);

/* What one caller saw. */
typedef struct stress_result {
  uint64_t calls, wrong;
  uint64_t added;       /* by STRESS_RETRY: the sum over all callers is the number in the end */
  uint64_t longest_gap; /* nanoseconds between two calls */
} stress_result;

/* Calls until it is stopped, with no signal blocked, as the threads of most programs. */
stress_result stress_call(int kind, stress_shared *shared);

/* Calls until it is stopped, with every signal blocked. */
stress_result stress_call_blocked(int kind, stress_shared *shared);

/* Waits in system calls, 20 ms each, until it is stopped; returns how many were interrupted (EINTR). */
#define STRESS_WAITS 4 /* nanosleep, epoll_wait, poll and select */
uint64_t stress_wait(int kind, stress_shared *shared);

/* Handlers; the context is the stress_shared, the frame a ckemon_hook_frame, of which only scratch is touched. */
int32_t stress_pre(void *shared, uint64_t *scratch);
void stress_post(void *shared, uint64_t *scratch);
/* The same, with memory from malloc that lives from pre to post. */
int32_t stress_pre_allocating(void *shared, uint64_t *scratch);
void stress_post_allocating(void *shared, uint64_t *scratch);
#endif
