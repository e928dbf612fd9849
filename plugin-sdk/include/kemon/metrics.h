/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/metrics.h: extension kemon.metrics/1: counters and histograms of a plugin's own. The host shows them at the end
 * of a run. Calls, votes and latencies of handlers are counted anyway.
 */
#ifndef KEMON_METRICS_H
#define KEMON_METRICS_H

#include "host.h"

KEMON_C_BEGIN

/* How many cells a counter has: one for each of the first threads, and cell 0 for all others. */
#define KEMON_LANES 64

/* A cache line of one thread. */
typedef struct kemon_cell {
  uint64_t value;
  uint64_t reserved[7];
} kemon_cell;

#define KEMON_EXT_METRICS "kemon.metrics/1"
typedef struct kemon_ext_metrics {
  uint32_t size, reserved;
  /* Makes a counter. Names are unique in the plugin: lower case letters, digits, '_' and '.', at most 64. `help` and
   * `unit` are for people and may be NULL. `cells`: KEMON_LANES of them, zero, valid until destroy has returned.
   * KEMON_E_FULL: a plugin has at most 64 metrics. [control] */
  kemon_status (*counter)(const kemon_host *h, const char *name, const char *help, const char *unit,
                          kemon_cell **cells);
  /* Makes a histogram, which keeps count, sum and largest value exactly, and percentiles to 1 in 16. [control] */
  kemon_status (*histogram)(const kemon_host *h, const char *name, const char *help, const char *unit, uint32_t *id);
  /* Adds a value to a histogram. [any] */
  void (*record)(const kemon_host *h, uint32_t id, uint64_t value);
  /* The calling thread's cell of every counter; the same as long as the thread lives. [any] */
  uint32_t (*lane)(const kemon_host *h);
} kemon_ext_metrics;

/* Adds to a counter without a call: a load and a store. `lane`: of the calling thread. Does nothing without cells, so
 * that a plugin need not ask whether its host counts. [any] */
static inline void kemon_count(kemon_cell *cells, uint32_t lane, uint64_t n) {
  if (cells == NULL)
    return;
  if (lane == 0)
    __atomic_fetch_add(&cells[0].value, n, __ATOMIC_RELAXED);
  else
    __atomic_store_n(&cells[lane].value, __atomic_load_n(&cells[lane].value, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

KEMON_C_END
#endif
