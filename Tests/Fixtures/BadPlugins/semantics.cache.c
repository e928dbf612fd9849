/* SPDX-License-Identifier: Apache-2.0
 * Says that its answer depends on the path, and looks at the user. */
#define CACHE KEMON_CACHE_PATH
#define ON_OPEN \
  verdict->flags |= KEMON_V_CACHEABLE; \
  return event->subject.uid == 0 ? kemon_allow(verdict) : kemon_deny(verdict, EACCES, "for root")
#include "bad.h"
