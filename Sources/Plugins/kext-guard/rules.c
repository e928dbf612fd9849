/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdlib.h>

static const char *const members[] = {"id", "version", "below", "from", "reason", NULL};

static bool read_version(const deny_reader *reader, size_t index, const char *member, bool *has, version *out) {
  const char *text;
  if (!deny_text(reader, index, member, &text))
    return false;
  *has = text != NULL;
  return text == NULL || version_parse(text, out) ||
         deny_fail(reader, "deny[%zu].%s: \"%s\" is not a version like 1.2 or 1.2b3", index, member, text);
}

static bool read_rule(const deny_reader *reader, size_t index, rule *out) {
  if (!deny_check(reader, index) || !deny_name(reader, index, "id", &out->id) ||
      !deny_text(reader, index, "reason", &out->reason))
    return false;
  if (out->id.text == NULL || *out->id.text == 0)
    return deny_fail(reader, "deny[%zu].id: must be a bundle identifier, or the beginning of one followed by *", index);
  if (!read_version(reader, index, "version", &out->has_exact, &out->exact) ||
      !read_version(reader, index, "below", &out->has_below, &out->below) ||
      !read_version(reader, index, "from", &out->has_from, &out->from))
    return false;
  if (out->has_exact && (out->has_below || out->has_from))
    return deny_fail(reader, "deny[%zu].version: excludes below and from", index);
  if (out->has_below && out->has_from && version_compare(&out->from, &out->below) >= 0)
    return deny_fail(reader, "deny[%zu].from: must be older than below", index);
  return true;
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

static bool version_matches(const rule *rule, const char *text, bool is_cut) {
  if (!rule->has_exact && !rule->has_below && !rule->has_from)
    return true;
  version version;
  /* What cannot be shown to lie outside the rule is inside. */
  if (is_cut || !version_parse(text, &version))
    return true;
  if (rule->has_exact && version_compare(&version, &rule->exact) != 0)
    return false;
  if (rule->has_below && version_compare(&version, &rule->below) >= 0)
    return false;
  return !rule->has_from || version_compare(&version, &rule->from) >= 0;
}

const rule *rules_find(const rules *all, const char *id, const char *version_text, bool is_cut) {
  for (size_t i = 0; i < all->count; i++)
    if (deny_matches(&all->rule[i].id, id, is_cut) && version_matches(&all->rule[i], version_text, is_cut))
      return &all->rule[i];
  return NULL;
}
