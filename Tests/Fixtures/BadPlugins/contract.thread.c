/* SPDX-License-Identifier: Apache-2.0
 * Registers a handler inside of one. */
#define ON_OPEN \
  const kemon_handler more = {.size = sizeof more, .name = "more", .kind = "file.open", .fn = on_open}; \
  host->on(host, &more, NULL, NULL)
#include "bad.h"
