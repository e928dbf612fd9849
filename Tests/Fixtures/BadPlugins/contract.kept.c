/* SPDX-License-Identifier: Apache-2.0
 * Looks back at the event before. */
#include <kemon/kemon.h>

static const kemon_event *last;
#define CREATE last = NULL
#define ON_OPEN \
  if (last != NULL) \
    sink += last->kind; \
  last = event
#include "bad.h"
