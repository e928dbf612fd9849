/* SPDX-License-Identifier: Apache-2.0
 * Computes for 300 ms while it is loaded. */
#include "bad.h"

__attribute__((constructor)) static void begin(void) {
  clock_t end = clock() + 300 * (CLOCKS_PER_SEC / 1000);
  while (clock() < end)
    sink++;
}
