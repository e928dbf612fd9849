/* SPDX-License-Identifier: Apache-2.0
 * Sets a variable while it is loaded. */
#include "bad.h"

__attribute__((constructor)) static void begin(void) {
  setenv("BAD_PLUGIN", "1", 1);
}
