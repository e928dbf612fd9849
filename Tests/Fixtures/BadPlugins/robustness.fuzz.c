/* SPDX-License-Identifier: Apache-2.0
 * Does not expect a time before the first event. */
#define ON_OPEN \
  if (event->time_ns == 0) \
  abort()
#include "bad.h"
