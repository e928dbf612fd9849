/* SPDX-License-Identifier: Apache-2.0
 * What the calling thread is: a small number for places of its own in tables, and its role. */
#ifndef CKEMON_THREAD_H
#define CKEMON_THREAD_H
#include <stdint.h>

/* Read on hot paths: where it lies is known when the program is loaded, so that no call has to find it. */
extern _Thread_local uint32_t ckemon_thread_number_or_zero __attribute__((tls_model("initial-exec")));

/* How many threads have a number of their own at a time. All others share the number behind it. */
#define CKEMON_THREAD_LIMIT 1024

/* Gives the calling thread its number. Any thread. */
uint32_t ckemon_thread_number_assign(void);

#define CKEMON_ROLE_NONE 0     /* a thread on which events may happen */
#define CKEMON_ROLE_OBSERVER 1 /* reads published events; nobody waits for it */

extern _Thread_local uint32_t ckemon_thread_role_word;

/* The calling thread's role, CKEMON_ROLE_*. Any thread. */
static inline uint32_t ckemon_thread_role(void) { return ckemon_thread_role_word; }

/* Sets the calling thread's own role. */
static inline void ckemon_thread_set_role(uint32_t role) { ckemon_thread_role_word = role; }

extern _Thread_local uint32_t ckemon_thread_depth_word;

/* How many synthetic events led to what the calling thread does; 0 when it handles none. Any thread. */
static inline uint32_t ckemon_thread_depth(void) { return ckemon_thread_depth_word; }

/* Sets the depth of what the calling thread does. */
static inline void ckemon_thread_set_depth(uint32_t depth) { ckemon_thread_depth_word = depth; }

extern _Thread_local uint64_t ckemon_thread_deadline_word;

/* When the call that the thread is in must have answered, on CLOCK_MONOTONIC in nanoseconds; 0 = whenever. Any thread. */
static inline uint64_t ckemon_thread_deadline(void) { return ckemon_thread_deadline_word; }

/* Sets the calling thread's own deadline. */
static inline void ckemon_thread_set_deadline(uint64_t nanoseconds) { ckemon_thread_deadline_word = nanoseconds; }

/* Names the calling thread for debuggers; the first 15 bytes count. */
void ckemon_thread_set_name(const char *name);

/* The calling thread's number, from 1: no other living thread has it, but a later one may; or CKEMON_THREAD_LIMIT + 1,
 * which several may share. Any thread. */
static inline uint32_t ckemon_thread_number(void) {
  uint32_t number = ckemon_thread_number_or_zero;
  return number != 0 ? number : ckemon_thread_number_assign();
}
#endif
