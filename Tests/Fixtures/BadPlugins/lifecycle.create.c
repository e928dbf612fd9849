/* SPDX-License-Identifier: Apache-2.0
 * Does not run without a licence. */
#define CREATE return kemon_fail(e, KEMON_E_FAILED, "no licence"), NULL
#include "bad.h"
