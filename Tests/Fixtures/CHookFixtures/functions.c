/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_fixtures.h"
#include <execinfo.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#define FIXTURE __attribute__((noinline, noclone))
#if defined(__clang__)
#undef FIXTURE
#define FIXTURE __attribute__((noinline))
#endif

#undef HOOK_FIXTURE_ADD
#define HOOK_FIXTURE_ADD(name)                                                                                         \
  FIXTURE long name(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }
HOOK_FIXTURE_ADD(fixture_add_calls)
HOOK_FIXTURE_ADD(fixture_add_skip)
HOOK_FIXTURE_ADD(fixture_add_change)
HOOK_FIXTURE_ADD(fixture_add_replace)
HOOK_FIXTURE_ADD(fixture_add_bytes)
HOOK_FIXTURE_ADD(fixture_add_threads)
HOOK_FIXTURE_ADD(fixture_add_cycles)
HOOK_FIXTURE_ADD(fixture_add_align)
HOOK_FIXTURE_ADD(fixture_add_twice)
HOOK_FIXTURE_ADD(fixture_add_maps)
HOOK_FIXTURE_ADD(fixture_add_scratch)
HOOK_FIXTURE_ADD(fixture_add_changed)
HOOK_FIXTURE_ADD(fixture_add_slow_hook)
HOOK_FIXTURE_ADD(fixture_add_stack)
HOOK_FIXTURE_ADD(fixture_add_busy)
HOOK_FIXTURE_ADD(fixture_add_sleepy)
HOOK_FIXTURE_ADD(fixture_add_order)
HOOK_FIXTURE_ADD(fixture_add_swapped)
HOOK_FIXTURE_ADD(fixture_add_pre)
HOOK_FIXTURE_ADD(fixture_add_nested)
HOOK_FIXTURE_ADD(fixture_add_dynamic)
HOOK_FIXTURE_ADD(fixture_add_watched)

FIXTURE long fixture_sum10(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

FIXTURE double fixture_sum8d(double a, double b, double c, double d, double e, double f, double g, double h) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}

FIXTURE double fixture_sum_variadic(int count, ...) {
  va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; i++)
    sum += va_arg(list, double);
  va_end(list);
  return sum;
}

long fixture_sum_variadic_of_4(void) { return (long)fixture_sum_variadic(4, 1.0, 20.0, 300.0, 4000.0); }

FIXTURE long double fixture_long_double(long double value, long scale) { return value * (long double)scale; }

int fixture_long_double_works(void) { return fixture_long_double(1.0L / 3.0L, 3) == 1.0L / 3.0L * 3.0L; }

typedef struct big {
  long words[8];
} big;

FIXTURE big fixture_big_struct(big value, long addend) {
  for (int i = 0; i < 8; i++)
    value.words[i] += addend;
  return value;
}

int fixture_big_struct_works(void) {
  big result = fixture_big_struct((big){{1, 2, 3, 4, 5, 6, 7, 8}}, 10);
  for (int i = 0; i < 8; i++)
    if (result.words[i] != i + 11)
      return 0;
  return 1;
}

const void *const fixture_long_double_address = (const void *)(uintptr_t)fixture_long_double;
const void *const fixture_big_struct_address = (const void *)(uintptr_t)fixture_big_struct;

FIXTURE fixture_pair fixture_swap(long first, long second) { return (fixture_pair){second, first}; }

FIXTURE long fixture_fibonacci(long n) { return n < 2 ? n : fixture_fibonacci(n - 1) + fixture_fibonacci(n - 2); }

FIXTURE long fixture_depth(long n) { return n == 0 ? 0 : 1 + fixture_depth(n - 1); }

FIXTURE void *fixture_return_address(void) { return __builtin_return_address(0); }

FIXTURE void fixture_wait_for(const int *flag, int *entered) {
  __atomic_store_n(entered, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST))
    sched_yield();
}

FIXTURE int fixture_frames_in(const void *start, uintptr_t size) {
  void *frames[64];
  int count = backtrace(frames, 64), found = 0;
  for (int i = 0; i < count; i++)
    found += (uintptr_t)frames[i] - (uintptr_t)start < size;
  return found;
}

static __thread jmp_buf landing;

FIXTURE long fixture_jumps(long n) {
  if (n > 0)
    longjmp(landing, 1);
  return n;
}

long fixture_catches_jumps(long count) {
  volatile long caught = 0;
  for (volatile long i = 0; i < count; i++)
    if (setjmp(landing) == 0)
      fixture_jumps(1);
    else
      caught = caught + 1;
  return caught;
}

FIXTURE void fixture_ends_thread(void *result) { pthread_exit(result); }
static void *run_to_end(void *result) {
  fixture_ends_thread(result);
  return NULL;
}

int fixture_thread_ended(void) {
  pthread_t thread;
  int value;
  void *result = NULL;
  if (pthread_create(&thread, NULL, run_to_end, &value) != 0)
    return 0;
  pthread_join(thread, &result);
  return result == &value;
}

FIXTURE long fixture_sum30(long a, long b, long c, long d, long e, long f, const fixture_words stack) {
  long sum = a + b + c + d + e + f;
  for (int i = 0; i < 24; i++)
    sum += (i + 1) * stack.words[i];
  return sum;
}

long fixture_sum30_of_ones(void) {
  fixture_words words;
  for (int i = 0; i < 24; i++)
    words.words[i] = i + 1;
  return fixture_sum30(1, 1, 1, 1, 1, 1, words);
}
