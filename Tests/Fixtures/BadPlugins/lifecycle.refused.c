/* SPDX-License-Identifier: Apache-2.0
 * Says nothing when it cannot register. */
#define ERROR NULL
#include "bad.h"
