/* SPDX-License-Identifier: Apache-2.0
 * Writes to the event. */
#define ON_OPEN ((kemon_event *)(uintptr_t)event)->flags |= 0x8000
#include "bad.h"
