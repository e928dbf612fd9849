/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the configuration: which kernel extensions may not start.
 */
#ifndef KEXT_GUARD_RULES_H
#define KEXT_GUARD_RULES_H

#include <kemon/kemon.h>

#include "deny_list.h"
#include "version.h"

/* One rule. Its texts belong to the host and live as long as the plugin. */
typedef struct rule {
  deny_pattern id; /* a bundle identifier */
  bool has_exact, has_below, has_from;
  version exact, below, from;
  const char *reason;
} rule;

typedef struct rules {
  size_t count;
  rule rule[];
} rules;

/* Reads {"deny": [...]}; NULL with a text that names the path of what is wrong. The caller frees. */
rules *rules_read(const kemon_host *host, kemon_error *error);

/* The first rule that forbids this kext, or NULL. Of a cut event any text may go on: what could match does. */
const rule *rules_find(const rules *all, const char *id, const char *version_text, bool is_cut);

#endif
