/* SPDX-License-Identifier: Apache-2.0
 * Believes the length that a saved state says. */
#include <kemon/kemon.h>

static const uint32_t nothing = 0;
static kemon_status save(void *self, kemon_sink *to) {
  (void)self;
  return to->write(to, &nothing, sizeof nothing);
}
#define SAVE save
#define CREATE \
  if (c->state != NULL) \
    for (uint32_t i = 0; i < *(const uint32_t *)c->state; i++) \
  sink += ((const uint8_t *)c->state)[i]
#include "bad.h"
