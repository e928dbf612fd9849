/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the configuration: which MAC policies may not be registered.
 */
#ifndef POLICY_GUARD_RULES_H
#define POLICY_GUARD_RULES_H

#include <kemon/kemon.h>

#include "deny_list.h"

/* One rule. Its texts belong to the host and live as long as the plugin. */
typedef struct rule {
  deny_pattern name;     /* a short name; none for every policy */
  const char *operation; /* only policies with a function for it; NULL for all */
  const char *reason;
} rule;

typedef struct rules {
  size_t count;
  rule rule[];
} rules;

/* Reads {"deny": [...]}; NULL with a text that names the path of what is wrong. The caller frees. */
rules *rules_read(const kemon_host *host, kemon_error *error);

/* The first rule that forbids this policy, or NULL. Of a cut event any text may go on: what could match does. */
const rule *rules_find(const rules *all, const kemon_event *event, const kemon_mac_policy *policy);

#endif
