/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "calls.h"
#include <ffi.h>
#include <stddef.h>
#include <time.h>

typedef int32_t (*handler)(void *context, uint64_t dev, uint64_t ino, int32_t flags, uint32_t mode, void *verdict);

static int32_t ignore(void *context, uint64_t dev, uint64_t ino, int32_t flags, uint32_t mode, void *verdict) {
  (void)context, (void)dev, (void)ino, (void)flags, (void)mode, (void)verdict;
  return 0;
}

/* The compiler shall not know what is called. */
static handler volatile target = ignore;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t calls_with_integers(uint64_t count) {
  char verdict[128];
  uint64_t start = now();
  for (uint64_t i = 0; i < count; i++)
    target(NULL, i, i, (int32_t)i, (uint32_t)i, verdict);
  return now() - start;
}

uint64_t calls_with_integers_through_ffi(uint64_t count) {
  char verdict[128];
  ffi_type *types[] = {&ffi_type_pointer, &ffi_type_uint64, &ffi_type_uint64,
                       &ffi_type_sint32,  &ffi_type_uint32, &ffi_type_pointer};
  void *context = NULL, *v = verdict;
  uint64_t dev = 1, ino = 2;
  int32_t flags = 3;
  uint32_t mode = 4;
  void *arguments[] = {&context, &dev, &ino, &flags, &mode, &v};
  ffi_arg result;
  ffi_cif cif;
  if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 6, &ffi_type_sint32, types) != FFI_OK)
    return 0;
  uint64_t start = now();
  for (uint64_t i = 0; i < count; i++)
    ffi_call(&cif, FFI_FN(target), &result, arguments);
  return now() - start;
}
