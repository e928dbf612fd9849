/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "calls.h"
#include <ffi.h>
#include <stddef.h>
#include <time.h>

typedef int32_t (*handler)(void *context, const void *event, void *verdict);

static int32_t ignore(void *context, const void *event, void *verdict) {
  (void)context, (void)event, (void)verdict;
  return 0;
}

/* The compiler shall not know what is called. */
static handler volatile target = ignore;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t calls_through_pointer(uint64_t count) {
  char event[64], verdict[128];
  uint64_t start = now();
  for (uint64_t i = 0; i < count; i++)
    target(NULL, event, verdict);
  return now() - start;
}

uint64_t calls_through_ffi(uint64_t count) {
  char event[64], verdict[128];
  ffi_type *types[] = {&ffi_type_pointer, &ffi_type_pointer, &ffi_type_pointer};
  void *context = NULL, *e = event, *v = verdict;
  void *arguments[] = {&context, &e, &v};
  ffi_arg result;
  ffi_cif cif;
  if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 3, &ffi_type_sint32, types) != FFI_OK)
    return 0;
  uint64_t start = now();
  for (uint64_t i = 0; i < count; i++)
    ffi_call(&cif, FFI_FN(target), &result, arguments);
  return now() - start;
}
