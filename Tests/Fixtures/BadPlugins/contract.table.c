/* SPDX-License-Identifier: Apache-2.0
 * Calls the host with a copy of the table. */
#define ON_OPEN \
  kemon_host copy = *host; \
  sink += copy.now(&copy)
#include "bad.h"
