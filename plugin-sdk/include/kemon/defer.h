/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/defer.h: extension kemon.defer/1: a vote that is given later, by any thread. The operation waits for it, but
 * never longer than the ticket says.
 */
#ifndef KEMON_DEFER_H
#define KEMON_DEFER_H

#include "host.h"

KEMON_C_BEGIN

/* Why an answer is not wanted any more. */
#define KEMON_CANCEL_DENIED 1  /* another handler has denied the operation */
#define KEMON_CANCEL_TIMEOUT 2 /* the time is over: on_timeout is the vote */
#define KEMON_CANCEL_STOP 3    /* the plugin is being stopped: on_timeout is the vote */
#define KEMON_CANCEL_UNUSED 4  /* the handler only watches: its vote does not count */

/* Called once for a ticket that was not resolved, never for one that was. Be quick, do not block. [any] */
typedef void (*kemon_cancel_fn)(void *ctx, uint64_t ticket, int32_t reason);

/* The longest time that a ticket may ask for, in nanoseconds. */
#define KEMON_DEFER_TIMEOUT_MAX 60000000000u

#define KEMON_EXT_DEFER "kemon.defer/1"
typedef struct kemon_ext_defer {
  uint32_t size, reserved;
  /* Opens a ticket for the event that the calling handler was given; the handler then ends with kemon_defer. Only
   * before operations that can be denied: KEMON_E_UNSUPPORTED elsewhere. timeout_ns: 1 to KEMON_DEFER_TIMEOUT_MAX, and
   * never more than four fifths of what the event's deadline leaves. on_timeout: KEMON_FAIL_*. cancel may be NULL.
   * KEMON_E_FULL: a plugin has at most 1024 open. [lane] */
  kemon_status (*open)(const kemon_host *h, const kemon_event *event, uint64_t timeout_ns, uint16_t on_timeout,
                       kemon_cancel_fn cancel, void *ctx, uint64_t *ticket);
  /* Gives the vote; the verdict is copied and may not be KEMON_DEFER. Exactly one of resolve, timeout and cancel
   * counts: KEMON_E_EXPIRED when it is not this one. [any] */
  kemon_status (*resolve)(const kemon_host *h, uint64_t ticket, const kemon_verdict *verdict);
  /* A copy of the event that lives until its release; NULL when the plugin holds 16 MiB of them already. [lane] */
  const kemon_event *(*retain)(const kemon_host *h, const kemon_event *event);
  /* Gives a retained event back. [any] */
  void (*release)(const kemon_host *h, const kemon_event *event);
} kemon_ext_defer;

/* Ends a handler: the answer comes under this ticket. [lane] */
static inline kemon_status kemon_defer(kemon_verdict *v, uint64_t ticket) {
  v->action = KEMON_DEFER;
  v->result = (int64_t)ticket;
  return KEMON_OK;
}

KEMON_C_END
#endif
