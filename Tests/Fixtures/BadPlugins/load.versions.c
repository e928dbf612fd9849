/* SPDX-License-Identifier: Apache-2.0
 * Serves every host, whatever that speaks. */
#define ENTRY \
  (void)hello; \
  return &plugin;
#include "bad.h"
