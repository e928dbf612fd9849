/* SPDX-License-Identifier: Apache-2.0
 * Takes every element of a list for a text. */
#define CREATE \
  const kemon_ext_config *config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG); \
  if (config != NULL && config->count(h, "deny") > 0) \
  sink += strlen(config->string(h, "deny[0]"))
#include "bad.h"
