/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/mute.h: extension kemon.mute/1: less of what reaches a handler, decided while events flow. Muted events count as
 * filtered, and as muted in the accounts of observers. A plugin that wants this asks for the extension in create.
 */
#ifndef KEMON_MUTE_H
#define KEMON_MUTE_H

#include "host.h"

KEMON_C_BEGIN

#define KEMON_EXT_MUTE "kemon.mute/1"
typedef struct kemon_ext_mute {
  uint32_t size, reserved;
  /* Events of this process do not reach the handler any more: until it exits, where the system tells so, and in any case
   * no longer than it has this pid and start_ns. token: as kemon_host.on gave it. KEMON_E_FULL: at most 256 processes
   * for a handler. [any] */
  kemon_status (*subject)(const kemon_host *h, uint64_t token, int32_t pid, uint64_t start_ns);
  /* Nor do events whose path, either of two, begins with these bytes. KEMON_E_FULL: at most 32. [any] */
  kemon_status (*path)(const kemon_host *h, uint64_t token, const char *prefix);
  /* Takes back everything that was muted for the handler. [any] */
  kemon_status (*clear)(const kemon_host *h, uint64_t token);
  /* Makes the host forget every answer that it remembers (cache_fields): call it when answers would differ now. [any] */
  kemon_status (*invalidate)(const kemon_host *h);
} kemon_ext_mute;

KEMON_C_END
#endif
