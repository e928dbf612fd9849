/* SPDX-License-Identifier: Apache-2.0
 * Allows what it does not know, even when it is cut. */
#define ON_OPEN \
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file); \
  if (file == NULL) \
    return KEMON_E_INVALID; \
  if (strcmp(kemon_str_ptr(event, file->path), "/etc/shadow") != 0) \
    return kemon_allow(verdict); \
  return kemon_deny(verdict, EACCES, "secret")
#include "bad.h"
