/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/verdict.h: what a handler answers. The strongest vote wins whatever the order of the handlers:
 * ABSTAIN < ALLOW < MODIFY < DEFER < DENY. Masks are combined with AND. Of several errnos the one that comes first in
 * EDEADLK, EINVAL, ESRCH, ENOENT, EACCES, EPERM, any other (lowest number) is taken.
 */
#ifndef KEMON_VERDICT_H
#define KEMON_VERDICT_H

#include "base.h"

KEMON_C_BEGIN

#define KEMON_ABSTAIN 0 /* no opinion: what a verdict is preset to */
#define KEMON_ALLOW 1
#define KEMON_MODIFY 2 /* PRE: allow with a narrower mask. POST: replace the result (kemon_replace_result) */
#define KEMON_DEFER 3  /* PRE: the answer comes later, under a ticket (defer.h); without one the vote is a fault */
#define KEMON_DENY 4

#define KEMON_TIER_GUARD 0   /* the host's own rules: final */
#define KEMON_TIER_ENFORCE 1 /* plugins that decide */
#define KEMON_TIER_OBSERVE 2 /* votes are recorded as "would deny", never enforced */

#define KEMON_V_RESULT 0x1    /* `result` is set */
#define KEMON_V_PATCH 0x4     /* MODIFY in PRE: `result` is a new value of the field that is named above, see modify.h */
#define KEMON_V_PATCH_SHIFT 8
#define KEMON_V_CACHEABLE 0x2 /* the answer holds for every event that is equal in the handler's cache_fields */

/* Filled in by a handler, read by the host when the handler returns. The host presets size, ABSTAIN and a full mask;
 * only the fields that the action uses need to be set. The struct belongs to the host and dies with the call. */
typedef struct kemon_verdict {
  uint32_t size;
  uint16_t action, flags;
  int32_t err;          /* DENY: errno for the caller, Linux numbers; 0 = EPERM */
  uint32_t reason_code; /* the plugin's own stable number */
  uint64_t allow_mask;  /* MODIFY in PRE: the bits of the operation's flags that stay allowed */
  int64_t result;       /* MODIFY in POST with KEMON_V_RESULT: what the caller gets instead */
  char reason[96];      /* UTF-8, NUL-terminated, for people */
} kemon_verdict;

/* A verdict of one's own, preset as the host presets those that it hands in. [any] */
static inline kemon_verdict kemon_blank_verdict(void) {
  kemon_verdict v;
  memset(&v, 0, sizeof v);
  v.size = (uint32_t)sizeof v;
  v.allow_mask = UINT64_MAX;
  return v;
}

/* Sets action, errno, reason code and reason at once and returns KEMON_OK, so that a handler can end with it. [any] */
static inline kemon_status kemon_say(kemon_verdict *v, uint16_t action, int32_t err, uint32_t code, const char *why) {
  size_t n = strlen(why);
  if (n > sizeof v->reason - 1)
    n = sizeof v->reason - 1;
  v->action = action;
  v->err = err;
  v->reason_code = code;
  memcpy(v->reason, why, n);
  v->reason[n] = 0;
  return KEMON_OK;
}

/* The operation fails with errno `err`. [any] */
static inline kemon_status kemon_deny(kemon_verdict *v, int32_t err, const char *why) {
  return kemon_say(v, KEMON_DENY, err, 0, why);
}

/* The operation is fine as far as this handler goes. [any] */
static inline kemon_status kemon_allow(kemon_verdict *v) { return kemon_say(v, KEMON_ALLOW, 0, 0, ""); }

/* In a POST handler: the caller gets `result` instead of what the operation returned. [any] */
static inline kemon_status kemon_replace_result(kemon_verdict *v, int64_t result, const char *why) {
  v->flags |= KEMON_V_RESULT;
  v->result = result;
  return kemon_say(v, KEMON_MODIFY, 0, 0, why);
}

KEMON_C_END
#endif
