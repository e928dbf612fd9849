/* SPDX-License-Identifier: Apache-2.0
 * Has begun to change before it refuses. */
#include <kemon/kemon.h>

static int denies;
static kemon_status reconfigure(void *self, const char *json, uint32_t len, kemon_error *e) {
  (void)self, (void)json, (void)len;
  denies = 1;
  return kemon_fail(e, KEMON_E_INVALID, "no");
}
#define RECONFIGURE reconfigure
#define CREATE denies = 0
#define ON_OPEN \
  if (denies) \
  return kemon_deny(verdict, EPERM, "reconfigured")
#include "bad.h"
