/* SPDX-License-Identifier: Apache-2.0
 * Keeps a little memory of each instance. */
#define CREATE sink += (uint64_t)(uintptr_t)strdup("what was configured")
#include "bad.h"
