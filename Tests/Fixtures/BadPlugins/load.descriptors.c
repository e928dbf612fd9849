/* SPDX-License-Identifier: Apache-2.0
 * Opens a file while it is loaded. */
#include "bad.h"

__attribute__((constructor)) static void begin(void) {
  sink += (uint64_t)open("/dev/null", O_RDONLY | O_CLOEXEC);
}
