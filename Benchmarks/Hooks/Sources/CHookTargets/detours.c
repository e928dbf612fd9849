/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_targets.h"
#include <ffi.h>

static hook_target originals[3];

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
