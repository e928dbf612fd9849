/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_SIZE = 64 };

static const char *const members[] = {"id", "version", "below", "from", "reason"};

/* What reading one configuration needs: the host, its reader, and where errors go. */
typedef struct reader {
  const kemon_host *host;
  const kemon_ext_config *config;
  kemon_error *error;
} reader;

__attribute__((format(printf, 2, 3))) static bool fail(const reader *r, const char *format, ...) {
  char text[sizeof r->error->text];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  kemon_fail(r->error, KEMON_E_INVALID, text);
  return false;
}

/* Whether there is anything at path, of whatever type. */
static bool exists(const reader *r, const char *path) {
  int64_t ignored;
  return r->config->integer(r->host, path, &ignored) != KEMON_E_NOTFOUND;
}

static bool read_text(const reader *r, size_t index, const char *member, const char **out) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "deny[%zu].%s", index, member);
  *out = r->config->string(r->host, path);
  return *out != NULL || !exists(r, path) || fail(r, "%s: must be a string", path);
}

static bool read_version(const reader *r, size_t index, const char *member, bool *has, version *out) {
  const char *text;
  if (!read_text(r, index, member, &text))
    return false;
  *has = text != NULL;
  return text == NULL || version_parse(text, out) ||
         fail(r, "deny[%zu].%s: \"%s\" is not a version like 1.2 or 1.2b3", index, member, text);
}

static bool check_members(const reader *r, size_t index) {
  char path[PATH_SIZE];
  int64_t known = 0;
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    snprintf(path, sizeof path, "deny[%zu].%s", index, members[i]);
    known += exists(r, path);
  }
  snprintf(path, sizeof path, "deny[%zu]", index);
  int64_t count = r->config->count(r->host, path);
  if (count < 0)
    return fail(r, "%s: must be an object", path);
  return count == known || fail(r, "%s: may only have the members id, version, below, from, reason", path);
}

static bool read_rule(const reader *r, size_t index, rule *out) {
  if (!check_members(r, index) || !read_text(r, index, "id", &out->id) || !read_text(r, index, "reason", &out->reason))
    return false;
  if (out->id == NULL || *out->id == 0)
    return fail(r, "deny[%zu].id: must be a bundle identifier, or the beginning of one followed by *", index);
  out->id_length = strlen(out->id);
  const char *star = strchr(out->id, '*');
  if (star != NULL) {
    out->is_prefix = true;
    out->id_length--;
    if (star[1] != 0)
      return fail(r, "deny[%zu].id: \"%s\" may have a * at its end only", index, out->id);
  }
  if (!read_version(r, index, "version", &out->has_exact, &out->exact) ||
      !read_version(r, index, "below", &out->has_below, &out->below) ||
      !read_version(r, index, "from", &out->has_from, &out->from))
    return false;
  if (out->has_exact && (out->has_below || out->has_from))
    return fail(r, "deny[%zu].version: excludes below and from", index);
  if (out->has_below && out->has_from && version_compare(&out->from, &out->below) >= 0)
    return fail(r, "deny[%zu].from: must be older than below", index);
  return true;
}

static bool check_root(const reader *r) {
  int64_t members_of_root = r->config->count(r->host, "");
  return members_of_root <= (exists(r, "deny") ? 1 : 0) || fail(r, "configuration: may only have the member deny");
}

rules *rules_read(const kemon_host *host, kemon_error *error) {
  reader r = {host, (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG), error};
  if (r.config == NULL) {
    fail(&r, "the host has no extension " KEMON_EXT_CONFIG);
    return NULL;
  }
  int64_t count = r.config->count(host, "deny");
  bool is_array = exists(&r, "deny") ? count == 0 || (count > 0 && exists(&r, "deny[0]")) : true;
  if (!is_array) {
    fail(&r, "deny: must be an array");
    return NULL;
  }
  size_t size = count > 0 ? (size_t)count : 0;
  rules *all = calloc(1, sizeof *all + size * sizeof(rule));
  if (all == NULL) {
    kemon_fail(error, KEMON_E_NOMEM, "out of memory");
    return NULL;
  }
  bool is_good = check_root(&r);
  for (; is_good && all->count < size; all->count += is_good)
    is_good = read_rule(&r, all->count, &all->rule[all->count]);
  if (!is_good) {
    free(all);
    return NULL;
  }
  return all;
}

static bool id_matches(const rule *rule, const char *id, size_t length, bool is_cut) {
  size_t shared = length < rule->id_length ? length : rule->id_length;
  if (memcmp(rule->id, id, shared) != 0)
    return false;
  if (length < rule->id_length)
    return is_cut;
  return rule->is_prefix || length == rule->id_length;
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
  size_t length = strlen(id);
  for (size_t i = 0; i < all->count; i++)
    if (id_matches(&all->rule[i], id, length, is_cut) && version_matches(&all->rule[i], version_text, is_cut))
      return &all->rule[i];
  return NULL;
}
