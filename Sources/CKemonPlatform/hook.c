/* SPDX-License-Identifier: Apache-2.0
 * Hooks and their sets of handlers: made, put in force, retired. */
#include "ckemon_futex.h"
#include "hook_call.h"
#include "hook_lanes.h"
#include <stdlib.h>
#include <string.h>

#if CKEMON_HOOKS
ckemon_hook *ckemon_hook_create(const void *original, const void *resume) {
  ckemon_hook *hook = aligned_alloc(_Alignof(ckemon_hook), sizeof *hook);
  if (hook == NULL)
    return NULL;
  ckemon_lanes_prepare();
  memset(hook, 0, sizeof *hook);
  hook->original = original;
  hook->self = hook;
  hook->resume = resume;
  return hook;
}

/* Stands for a pre handler where there is none. */
static int32_t proceed(void *context, ckemon_hook_frame *frame) {
  (void)context, (void)frame;
  return CKEMON_PROCEED;
}

ckemon_hook_table *ckemon_hook_table_create(const ckemon_hook *hook, const ckemon_hook_handler *handlers,
                                            uint32_t count) {
  ckemon_hook_table *table = malloc(sizeof *table + count * sizeof table->handlers[0]);
  if (table == NULL)
    return NULL;
  table->hook = hook;
  table->count = count;
  int has_post = 0;
  for (uint32_t i = 0; i < count; i++) {
    table->handlers[i] = handlers[i];
    has_post |= handlers[i].post != NULL;
  }
  if (count == 1) {
    table->pre = handlers[0].pre != NULL ? handlers[0].pre : proceed;
    table->post = handlers[0].post;
    table->context = handlers[0].context;
  } else {
    table->pre = ckemon_hook_pre_all;
    table->post = has_post ? ckemon_hook_post_all : NULL;
    table->context = table;
  }
  return table;
}

ckemon_hook_table *ckemon_hook_publish(ckemon_hook *hook, ckemon_hook_table *table) {
  return atomic_exchange(&hook->table, table);
}

void ckemon_hook_barrier(void) { ckemon_lanes_barrier(); }

int ckemon_hook_uses(const ckemon_hook *hook, const ckemon_hook_table *table) {
  return ckemon_lanes_count(table) != 0 || atomic_load(&hook->uncounted) != 0;
}

void ckemon_hook_table_destroy(ckemon_hook_table *table) { free(table); }

uint32_t ckemon_hook_departures(const ckemon_hook *hook) { return atomic_load(&hook->left); }

void ckemon_hook_await_departure(const ckemon_hook *hook, uint32_t seen) {
  ckemon_futex_wait(&hook->left, seen, 10000000);
}

uint32_t ckemon_hook_in_flight(const ckemon_hook *hook) {
  /* Sets that are being retired are not reachable from here; their calls are few and leave soon. */
  ckemon_hook_table *table = atomic_load(&hook->table);
  return (table == NULL ? 0 : ckemon_lanes_count(table)) + atomic_load(&hook->uncounted);
}

uint64_t ckemon_hook_suppressed(const ckemon_hook *hook) { return atomic_load(&hook->suppressed); }

int ckemon_has_wide_vectors(void) { return __builtin_cpu_supports("avx") != 0; }
int ckemon_has_widest_vectors(void) { return __builtin_cpu_supports("avx512f") != 0; }

_Static_assert(CKEMON_STACK_WORDS == 24, "as the thunks below");

/* The thunks of hook_thunks.S, the fastest first: copying 24 words is faster with wide registers. */
#define THUNKS(T)                                                                                                      \
  T(0, 0, 0) T(0, 0, 8) T(16, 2, 0) T(16, 8, 0) T(16, 8, 8) T(32, 8, 24) T(16, 8, 24) T(64, 8, 24)
#define DECLARE(width, vectors, words)                                                                                 \
  void ckemon_entry_thunk_##width##_##vectors##_##words(void);                                                         \
  void ckemon_call_thunk_##width##_##vectors##_##words(void);
#define ROW(width, vectors, words)                                                                                     \
  {width, vectors, words, {ckemon_entry_thunk_##width##_##vectors##_##words,                                           \
                           ckemon_call_thunk_##width##_##vectors##_##words}},
THUNKS(DECLARE)

const void *ckemon_hook_thunk(int is_call_site, int width, int vectors, int words) {
  static const struct {
    int width, vectors, words;
    void (*thunks[2])(void);
  } rows[] = {THUNKS(ROW)};
  int widest = ckemon_has_widest_vectors() ? 64 : ckemon_has_wide_vectors() ? 32 : 16;
  if (width > widest)
    width = widest;
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].width >= width && rows[i].vectors >= vectors && rows[i].words >= words && rows[i].width <= widest)
      return (const void *)(uintptr_t)rows[i].thunks[is_call_site != 0];
  return NULL;
}
#else
int ckemon_has_wide_vectors(void) { return 0; }
int ckemon_has_widest_vectors(void) { return 0; }
const void *ckemon_hook_thunk(int is_call_site, int width, int vectors, int words) {
  (void)is_call_site, (void)width, (void)vectors, (void)words;
  return NULL;
}
#endif
