/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/timer.h: extension kemon.timer/1: calls at times of the event clock. During replay that clock is virtual: a
 * timer fires before the first event that is not earlier, on the thread that plays, so that the same recording makes
 * the same calls at the same places.
 */
#ifndef KEMON_TIMER_H
#define KEMON_TIMER_H

#include "host.h"

KEMON_C_BEGIN

/* Called when the time has come; now_ns is the time that was asked for, and what kemon_host.now says meanwhile during
 * replay. Be quick: all plugins' timers share a thread. It may arm and cancel timers. [any]: one call at a time. */
typedef void (*kemon_timer_fn)(void *ctx, uint64_t now_ns);

/* The shortest period, in nanoseconds. */
#define KEMON_TIMER_PERIOD_MIN 1000000u
/* When time leaps, a periodic timer fires at most so often for one step; the periods before are left out. */
#define KEMON_TIMER_BURST 1000u

#define KEMON_EXT_TIMER "kemon.timer/1"
typedef struct kemon_ext_timer {
  uint32_t size, reserved;
  /* Calls fn in delay_ns, and then every period_ns, 0 = once. ctx must live until cancel or destroy returns. Timers
   * fire from start until stop. In mode BENCH they never do: no time passes there. KEMON_E_FULL: a plugin has at most
   * 256 at a time. [any] */
  kemon_status (*arm)(const kemon_host *h, uint64_t delay_ns, uint64_t period_ns, kemon_timer_fn fn, void *ctx,
                      uint64_t *id);
  /* Ends a timer; returns after a running call has left, unless it is called from that call. KEMON_E_NOTFOUND: it has
   * ended already, and no call of it runs. [any] */
  kemon_status (*cancel)(const kemon_host *h, uint64_t id);
} kemon_ext_timer;

KEMON_C_END
#endif
