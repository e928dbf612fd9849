/* SPDX-License-Identifier: Apache-2.0
 * What is measured: functions of six integers that do next to nothing, and the loop that calls them. */
#ifndef HOOK_TARGETS_H
#define HOOK_TARGETS_H
#include <stddef.h>
#include <stdint.h>

typedef long (*hook_target)(long a, long b, long c, long d, long e, long f);

/* One function for every contestant, all alike, each at the beginning of a cache line; NULL behind the last. */
hook_target hook_target_at(size_t index);

/* Nanoseconds per call of `calls` calls in a row, each with the result of the last, so that they do not overlap; -1 when
 * the result was wrong. Any thread. */
double hook_measure(hook_target function, long calls);

/* Where the contestants' own detours find what they stand in front of. */
typedef enum hook_detour { HOOK_BARE, HOOK_TYPED, HOOK_CALLS, HOOK_EQUAL, HOOK_CLOSURE } hook_detour;
void hook_set_original(hook_detour detour, hook_target original);

/* Calls the original: what a bare replacement costs. */
long hook_bare_detour(long a, long b, long c, long d, long e, long f);

/* What one writes by hand for one prototype: pre and post through pointers. */
long hook_typed_detour(long a, long b, long c, long d, long e, long f);

/* Calls pre, the original and post, and does nothing else: three calls that return. */
long hook_calls_detour(long a, long b, long c, long d, long e, long f);

/* What one writes by hand for one prototype to have what a hook has. */
long hook_equal_detour(long a, long b, long c, long d, long e, long f);

/* A detour made by libffi that calls pre and post and then the original through ffi_call; NULL when libffi refuses. */
hook_target hook_closure_detour(void);

/* Handlers: they count. The frame is a kemon_hook_frame. */
int32_t hook_count_pre(void *context, void *frame);
void hook_count_post(void *context, void *frame);

/* How often each was called since the last time this was asked: by handlers in C and by detours. */
typedef struct hook_counts {
  uint64_t pre, post;
} hook_counts;
hook_counts hook_take_counts(void);

/* A monotonic clock in nanoseconds. */
uint64_t hook_clock(void);

/* Addresses of the first `capacity` exported functions of a library that are at least `smallest` bytes long; the library
 * is loaded. Returns how many. */
size_t hook_exports(const char *library, size_t smallest, const void **functions, size_t capacity);
#endif
