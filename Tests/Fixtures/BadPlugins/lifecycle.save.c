/* SPDX-License-Identifier: Apache-2.0
 * Saves something else each time. */
#include <kemon/kemon.h>

static kemon_status save(void *self, kemon_sink *to) {
  static uint64_t times;
  (void)self;
  times++;
  return to->write(to, &times, sizeof times);
}
#define SAVE save
#include "bad.h"
