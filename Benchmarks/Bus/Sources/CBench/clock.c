/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

static uint64_t monotonic(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static double ns_per_tick;
static pthread_once_t calibrated = PTHREAD_ONCE_INIT;

static void calibrate(void) {
  uint64_t start = monotonic(), ticks = bench_ticks();
  while (monotonic() - start < 50000000) bench_pause();
  ns_per_tick = (double)(monotonic() - start) / (double)(bench_ticks() - ticks);
}

double bench_ns_per_tick(void) {
  pthread_once(&calibrated, calibrate);
  return ns_per_tick;
}

static int ascending(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

/* Clocks of virtual machines often step by tens of nanoseconds, so that many samples are equal: the place among the
 * equal ones tells where in the step the percentile lies, as with grouped data. */
double bench_percentile(uint32_t *samples, size_t count, double fraction) {
  if (count == 0) return 0;
  qsort(samples, count, sizeof *samples, ascending);
  size_t index = (size_t)(fraction * (double)count);
  if (index >= count) index = count - 1;
  uint32_t value = samples[index];
  size_t first = index, end = index;
  while (first > 0 && samples[first - 1] == value) first--;
  while (end < count && samples[end] == value) end++;
  uint32_t step = end < count ? samples[end] - value : first > 0 ? value - samples[first - 1] : 0;
  double place = ((double)index + 0.5 - (double)first) / (double)(end - first);
  return (double)value + ((double)place - 0.5) * (double)step;
}

enum { TRIPS = 4096 };

typedef struct court {
  _Alignas(128) _Atomic uint32_t ball;
  _Alignas(128) uint32_t samples[TRIPS];
} court;

static void serve(void *raw, uint32_t index) {
  court *court = raw;
  (void)index;
  for (uint32_t i = 0; i < TRIPS; i++) {
    uint64_t start = bench_ticks();
    atomic_store_explicit(&court->ball, 2 * i + 1, memory_order_release);
    while (atomic_load_explicit(&court->ball, memory_order_acquire) != 2 * i + 2) {}
    court->samples[i] = bench_ticks_since(start);
  }
}

static void answer(void *raw, uint32_t index) {
  court *court = raw;
  (void)index;
  for (uint32_t i = 0; i < TRIPS; i++) {
    while (atomic_load_explicit(&court->ball, memory_order_acquire) != 2 * i + 1) {}
    atomic_store_explicit(&court->ball, 2 * i + 2, memory_order_release);
  }
}

double bench_round_trip(int cpu, int other_cpu) {
  static court court;
  atomic_store(&court.ball, 0);
  bench_role roles[2] = {{serve, &court, 0, cpu}, {answer, &court, 1, other_cpu}};
  bench_team_run(roles, 2);
  return bench_percentile(court.samples, TRIPS, 0.5) * bench_ns_per_tick();
}
