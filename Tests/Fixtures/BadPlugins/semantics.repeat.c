/* SPDX-License-Identifier: Apache-2.0
 * Denies every seventh event. */
static unsigned count;
#define ON_OPEN \
  if (count++ % 7 == 3) \
  return kemon_deny(verdict, EPERM, "the seventh")
#include "bad.h"
