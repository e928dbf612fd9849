/* SPDX-License-Identifier: Apache-2.0
 * Changes its table from call to call. */
#define ENTRY \
  plugin.concurrency = plugin.concurrency == 0 ? 1 : 0; \
  return kemon_speaks(hello) ? &plugin : NULL;
#include "bad.h"
