/* SPDX-License-Identifier: Apache-2.0
 * Prints. */
#define ON_OPEN puts("open")
#include "bad.h"
