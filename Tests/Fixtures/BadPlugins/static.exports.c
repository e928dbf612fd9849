/* SPDX-License-Identifier: Apache-2.0
 * Shows a function of its own to everybody. */
#include "bad.h"

int helper(void);
KEMON_EXPORT int helper(void) { return 1; }
