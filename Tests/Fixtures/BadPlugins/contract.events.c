/* SPDX-License-Identifier: Apache-2.0
 * Crashes at the first event. */
#define ON_OPEN sink += *(volatile uint64_t *)16
#include "bad.h"
