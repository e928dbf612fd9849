/* SPDX-License-Identifier: Apache-2.0
 * What every contestant measures with: a clock, pinned threads that start together, percentiles. */
#ifndef BENCH_H
#define BENCH_H
#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ticks of the processor's constant clock; the same on all cores. */
static inline uint64_t bench_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
}

/* Ticks since a moment that may have been taken on another core, whose clock may be some ticks ahead: never below 0. */
static inline uint32_t bench_ticks_since(uint64_t start) {
  int64_t ticks = (int64_t)(bench_ticks() - start);
  return ticks < 0 ? 0 : ticks > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static inline void bench_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

/* Waits a little, longer each time, as who wants throughput does: whoever looks again at once only takes the line away
 * from the core that is about to write it. `turns` counts since there was a whole batch. */
static inline void bench_relax(uint32_t *turns) {
  const uint32_t turn = (*turns)++;
  for (uint32_t i = 0; i < 1u << (turn < 5 ? turn : 5); i++) bench_pause();
}

/* Nanoseconds of a tick; measured once. */
double bench_ns_per_tick(void);

/* One thread of a measurement: runs on a core, between the common start and its own end. */
typedef struct bench_role {
  void (*run)(void *context, uint32_t index);
  void *context;
  uint32_t index;
  int cpu;
} bench_role;

/* Runs the roles on threads of their own, started together, and returns the nanoseconds from the start to the end of
 * the last one; a negative number when a thread cannot be made. Afterwards the calling thread is as it was. */
double bench_team_run(const bench_role *roles, size_t count);

/* The percentile (0..1) of samples, finer than the clock's step where many are equal; sorts them. */
double bench_percentile(uint32_t *samples, size_t count, double fraction);

/* Nanoseconds that a cache line takes from one core to the other and back; the median of many. */
double bench_round_trip(int cpu, int other_cpu);

/* Makes the calling thread run on one core; 0, or an errno. */
int bench_pin(int cpu);

#ifdef __cplusplus
}
#endif
#endif
