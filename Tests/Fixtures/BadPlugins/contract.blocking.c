/* SPDX-License-Identifier: Apache-2.0
 * Sleeps while the operation waits. */
#define ON_OPEN usleep(100)
#include "bad.h"
