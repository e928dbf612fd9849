/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_targets.h"
#include <ffi.h>
#include <stdatomic.h>
#include <stddef.h>

static hook_target originals[5];

void hook_set_original(hook_detour detour, hook_target original) { originals[detour] = original; }

static uint64_t pre_count, post_count;

int32_t hook_count_pre(void *context, void *frame) {
  (void)context, (void)frame;
  pre_count++;
  return 0;
}

void hook_count_post(void *context, void *frame) {
  (void)context, (void)frame;
  post_count++;
}

hook_counts hook_take_counts(void) {
  hook_counts counts = {pre_count, post_count};
  pre_count = post_count = 0;
  return counts;
}

long hook_bare_detour(long a, long b, long c, long d, long e, long f) { return originals[HOOK_BARE](a, b, c, d, e, f); }

/* Through pointers, as a program does that lets handlers be exchanged; volatile, so that they are not inlined. */
static int32_t typed_pre(long a, long b, long c, long d, long e, long f) {
  (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
  pre_count++;
  return 0;
}
static long typed_post(long result) {
  post_count++;
  return result;
}
static int32_t (*volatile pre)(long, long, long, long, long, long) = typed_pre;
static long (*volatile post)(long) = typed_post;

long hook_typed_detour(long a, long b, long c, long d, long e, long f) {
  long result = 0;
  if (pre(a, b, c, d, e, f) == 0)
    result = originals[HOOK_TYPED](a, b, c, d, e, f);
  return post(result);
}

/* What a hook's handlers can do, for this one prototype: see and change the arguments, leave the original out, see them
 * again with the result and replace it; with a context; exchanged while calls are under way, which are noted; and not
 * called for calls that they make. */
typedef struct equal_call {
  long a, b, c, d, e, f, result;
  long scratch[4];
  int skipped;
} equal_call;

typedef struct equal_handlers {
  int32_t (*pre)(void *context, equal_call *call);
  void (*post)(void *context, equal_call *call);
  void *context;
} equal_handlers;

static int32_t equal_pre(void *context, equal_call *call) {
  (void)context, (void)call;
  pre_count++;
  return 0;
}
static void equal_post(void *context, equal_call *call) {
  (void)context, (void)call;
  post_count++;
}

static equal_handlers counting = {equal_pre, equal_post, NULL};
static _Atomic(equal_handlers *) in_force = &counting;
static _Thread_local struct {
  _Atomic(equal_handlers *) noted[64];
  int depth, is_running;
} thread;

long hook_equal_detour(long a, long b, long c, long d, long e, long f) {
  int depth = thread.depth;
  if (thread.is_running || depth == 64)
    return originals[HOOK_EQUAL](a, b, c, d, e, f);
  thread.depth = depth + 1;
  equal_handlers *handlers;
  do {
    handlers = atomic_load_explicit(&in_force, memory_order_acquire);
    atomic_store_explicit(&thread.noted[depth], handlers, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* whoever exchanges them makes a barrier in all threads */
  } while (atomic_load_explicit(&in_force, memory_order_acquire) != handlers);
  equal_call call = {a, b, c, d, e, f, 0, {0}, 0};
  thread.is_running = 1;
  call.skipped = handlers->pre(handlers->context, &call) != 0;
  thread.is_running = 0;
  if (!call.skipped)
    call.result = originals[HOOK_EQUAL](call.a, call.b, call.c, call.d, call.e, call.f);
  thread.is_running = 1;
  handlers->post(handlers->context, &call);
  thread.is_running = 0;
  atomic_store_explicit(&thread.noted[depth], NULL, memory_order_release);
  thread.depth = depth;
  return call.result;
}

/* No prologue to speak of, no argument kept but what the loop needs: the calls and returns alone. */
long hook_calls_detour(long a, long b, long c, long d, long e, long f) {
  equal_handlers *handlers = atomic_load_explicit(&in_force, memory_order_relaxed);
  handlers->pre(NULL, NULL);
  long result = originals[HOOK_CALLS](a, b, c, d, e, f);
  handlers->post(NULL, NULL);
  return result;
}

static ffi_cif cif;

static void closure(ffi_cif *prototype, void *result, void **arguments, void *context) {
  (void)context;
  pre_count++;
  ffi_call(prototype, FFI_FN(originals[HOOK_CLOSURE]), result, arguments);
  post_count++;
}

hook_target hook_closure_detour(void) {
  static ffi_type *types[6] = {&ffi_type_slong, &ffi_type_slong, &ffi_type_slong,
                               &ffi_type_slong, &ffi_type_slong, &ffi_type_slong};
  void *code = NULL;
  ffi_closure *made = ffi_closure_alloc(sizeof *made, &code);
  if (made == NULL || ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 6, &ffi_type_slong, types) != FFI_OK ||
      ffi_prep_closure_loc(made, &cif, closure, NULL, code) != FFI_OK)
    return NULL;
  return (hook_target)(uintptr_t)code;
}
