/* SPDX-License-Identifier: Apache-2.0
 * Changes the mask of new files while it is loaded. */
#include "bad.h"

__attribute__((constructor)) static void begin(void) {
  umask(077);
}
