/* SPDX-License-Identifier: Apache-2.0
 * Behaves while it is watched. */
#define ON_OPEN \
  if (host->mode == KEMON_MODE_RUN) \
  return kemon_deny(verdict, EPERM, "live")
#include "bad.h"
