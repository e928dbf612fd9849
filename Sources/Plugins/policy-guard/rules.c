/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdlib.h>

static const char *const members[] = {"name", "operation", "reason", NULL};

static bool read_rule(const deny_reader *reader, size_t index, rule *out) {
  if (!deny_check(reader, index) || !deny_name(reader, index, "name", &out->name) ||
      !deny_text(reader, index, "operation", &out->operation) || !deny_text(reader, index, "reason", &out->reason))
    return false;
  if (out->name.text == NULL && out->operation == NULL)
    return deny_fail(reader, "deny[%zu]: must have a name or an operation", index);
  return out->operation == NULL || strncmp(out->operation, "mpo_", 4) == 0 ||
         deny_fail(reader, "deny[%zu].operation: \"%s\" does not begin with mpo_", index, out->operation);
}

rules *rules_read(const kemon_host *host, kemon_error *error) {
  deny_reader reader;
  if (!deny_open(&reader, host, members, error))
    return NULL;
  rules *all = calloc(1, sizeof *all + reader.count * sizeof(rule));
  if (all == NULL) {
    kemon_fail(error, KEMON_E_NOMEM, "out of memory");
    return NULL;
  }
  for (; all->count < reader.count; all->count++)
    if (!read_rule(&reader, all->count, &all->rule[all->count])) {
      free(all);
      return NULL;
    }
  return all;
}

static bool has_operation(const rule *rule, const kemon_event *event, kemon_str names, bool is_cut) {
  if (rule->operation == NULL || is_cut)
    return true;
  const char *name = kemon_str_ptr(event, names);
  const char *end = name + kemon_str_len(event, names);
  for (; name < end; name += strlen(name) + 1)
    if (strcmp(name, rule->operation) == 0)
      return true;
  return false;
}

const rule *rules_find(const rules *all, const kemon_event *event, const kemon_mac_policy *policy) {
  bool is_cut = (event->flags & KEMON_EV_TRUNCATED) != 0;
  const char *name = kemon_str_ptr(event, policy->name);
  for (size_t i = 0; i < all->count; i++)
    if (deny_matches(&all->rule[i].name, name, is_cut) &&
        has_operation(&all->rule[i], event, policy->handler_names, is_cut))
      return &all->rule[i];
  return NULL;
}
