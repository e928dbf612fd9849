/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/modify.h: extension kemon.modify/1: a handler changes an argument before the operation. Which fields can be
 * changed is in KEMON_MODIFIABLE_TABLE; a plugin names those that it changes in its manifest:
 *   "capabilities": ["modify:net.connect.destination_port"]
 *
 * All handlers are then asked once more about the changed event (KEMON_EV_REVALIDATE), so that nobody has approved
 * something else than what happens; what they change then does not count. Of two that change one field differently the
 * one with the lower priority wins; between equals the operation is denied, with reason_code KEMON_E_CONFLICT.
 */
#ifndef KEMON_MODIFY_H
#define KEMON_MODIFY_H

#include "schema.h"

KEMON_C_BEGIN

#define KEMON_EXT_MODIFY "kemon.modify/1"
typedef struct kemon_ext_modify {
  uint32_t size, reserved;
  /* Makes the verdict of the running handler KEMON_MODIFY with a new value for one field. KEMON_E_UNSUPPORTED: the field
   * cannot be changed. KEMON_E_DENIED: the manifest does not name it. KEMON_E_INVALID: the value is too large for it.
   * KEMON_E_FULL: the verdict changes another field already; register a second handler for that. [lane] */
  kemon_status (*set_u64)(const kemon_host *h, kemon_verdict *v, const kemon_field *field, uint64_t value);
} kemon_ext_modify;

KEMON_C_END
#endif
