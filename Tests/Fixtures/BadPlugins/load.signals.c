/* SPDX-License-Identifier: Apache-2.0
 * Takes a signal while it is loaded. */
#include "bad.h"

__attribute__((constructor)) static void begin(void) {
  signal(SIGUSR1, SIG_IGN);
}
