/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/mac.h: the arguments of mac.op by their names. Kernels add parameters in the middle of prototypes: a plugin that
 * asks for "flags" finds it in every one of them.
 */
#ifndef KEMON_MAC_H
#define KEMON_MAC_H

#include "event.h"

KEMON_C_BEGIN

/* Where text number `index` of a list field begins, or NULL when there are fewer. The pointer lives as long as the
 * event. [any] */
static inline const char *kemon_list_at(const kemon_event *e, kemon_str list, uint32_t index) {
  const char *text = kemon_str_ptr(e, list);
  const char *end = text + kemon_str_len(e, list);
  for (; index > 0 && text < end; index--)
    text += strlen(text) + 1;
  return text < end ? text : (const char *)0;
}

/* Reads the argument of that name, as the header of the event's kernel calls it: "vp", "flags", "atime.tv_sec". Returns
 * 1, or 0 when the operation has no such argument; `value` is as it was then. [any]
 *   if (kemon_mac_argument(event, op, "flags", &flags) && (flags & 1) != 0) ... */
static inline int kemon_mac_argument(const kemon_event *e, const kemon_mac_op *op, const char *name, uint64_t *value) {
  const char *next = kemon_str_ptr(e, op->argument_names);
  const char *end = next + kemon_str_len(e, op->argument_names);
  uint32_t words = kemon_str_len(e, op->arguments) / 8;
  for (uint32_t i = 0; i < op->argc && i < words && next < end; i++, next += strlen(next) + 1)
    if (strcmp(next, name) == 0) {
      memcpy(value, kemon_str_ptr(e, op->arguments) + (size_t)i * 8, 8);
      return 1;
    }
  return 0;
}

KEMON_C_END
#endif
