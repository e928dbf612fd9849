/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/blob.h: extension kemon.blob/1: memory of a plugin's own for each process, kept by the host.
 */
#ifndef KEMON_BLOB_H
#define KEMON_BLOB_H

#include "host.h"

KEMON_C_BEGIN

/* Called once for each blob before it is freed: its process has exited, it was evicted, or the plugin ends (after stop,
 * before destroy). No handler has it any more. [any]: one call at a time. */
typedef void (*kemon_blob_fini)(void *ctx, void *blob);

#define KEMON_BLOB_BYTES_MAX 65536u
#define KEMON_BLOB_COUNT_MAX 65536u

#define KEMON_EXT_BLOB "kemon.blob/1"
typedef struct kemon_ext_blob {
  uint32_t size, reserved;
  /* Reserves `bytes` for each process, for at most `count` processes at a time: when there are more, the one that was
   * asked for longest ago is evicted (counted, shown at the end of a run). fini may be NULL. KEMON_E_FULL: at most 8
   * slots in a plugin. [control] */
  kemon_status (*reserve)(const kemon_host *h, uint32_t bytes, uint32_t count, kemon_blob_fini fini, void *ctx,
                          uint32_t *slot);
  /* The blob of the process that acts in the event: zeroed when it is new, aligned to 16, valid until the handler
   * returns. Several lanes may have the same one at a time. NULL: no such slot, or no memory (counted). [lane] */
  void *(*get)(const kemon_host *h, uint32_t slot, const kemon_event *event);
} kemon_ext_blob;

KEMON_C_END
#endif
