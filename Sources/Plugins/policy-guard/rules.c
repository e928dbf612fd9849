/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_SIZE = 64 };

static const char *const members[] = {"name", "operation", "reason"};

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
  return count == known || fail(r, "%s: may only have the members name, operation, reason", path);
}

static bool read_rule(const reader *r, size_t index, rule *out) {
  if (!check_members(r, index) || !read_text(r, index, "name", &out->name) ||
      !read_text(r, index, "operation", &out->operation) || !read_text(r, index, "reason", &out->reason))
    return false;
  if (out->name == NULL && out->operation == NULL)
    return fail(r, "deny[%zu]: must have a name or an operation", index);
  if (out->operation != NULL && strncmp(out->operation, "mpo_", 4) != 0)
    return fail(r, "deny[%zu].operation: \"%s\" does not begin with mpo_", index, out->operation);
  if (out->name == NULL)
    return true;
  out->name_length = strlen(out->name);
  const char *star = strchr(out->name, '*');
  if (star != NULL) {
    out->is_prefix = true;
    out->name_length--;
    if (star[1] != 0)
      return fail(r, "deny[%zu].name: \"%s\" may have a * at its end only", index, out->name);
  }
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

static bool name_matches(const rule *rule, const char *name, bool is_cut) {
  if (rule->name == NULL)
    return true;
  size_t length = strlen(name);
  size_t shared = length < rule->name_length ? length : rule->name_length;
  if (memcmp(rule->name, name, shared) != 0)
    return false;
  if (length < rule->name_length)
    return is_cut;
  return rule->is_prefix || length == rule->name_length;
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
    if (name_matches(&all->rule[i], name, is_cut) &&
        has_operation(&all->rule[i], event, policy->handler_names, is_cut))
      return &all->rule[i];
  return NULL;
}
