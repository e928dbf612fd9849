/* SPDX-License-Identifier: Apache-2.0 */
#include "deny_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 64 };

bool deny_fail(const deny_reader *reader, const char *format, ...) {
  char text[sizeof reader->error->text];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  kemon_fail(reader->error, KEMON_E_INVALID, text);
  return false;
}

/* Whether there is anything at path, of whatever type. */
static bool exists(const deny_reader *reader, const char *path) {
  int64_t ignored;
  return reader->config->integer(reader->host, path, &ignored) != KEMON_E_NOTFOUND;
}

bool deny_open(deny_reader *reader, const kemon_host *host, const char *const *members, kemon_error *error) {
  const kemon_ext_config *config = (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG);
  *reader = (deny_reader){.host = host, .config = config, .error = error, .members = members};
  if (config == NULL)
    return deny_fail(reader, "the host has no extension " KEMON_EXT_CONFIG);
  bool is_there = exists(reader, "deny");
  int64_t count = config->count(host, "deny");
  if (is_there && (count < 0 || (count > 0 && !exists(reader, "deny[0]"))))
    return deny_fail(reader, "deny: must be an array");
  if (config->count(host, "") > (is_there ? 1 : 0))
    return deny_fail(reader, "configuration: may only have the member deny");
  reader->count = count > 0 ? (size_t)count : 0;
  return true;
}

bool deny_check(const deny_reader *reader, size_t index) {
  char path[PATH_SIZE], all[sizeof reader->error->text] = "";
  int64_t known = 0;
  for (const char *const *member = reader->members; *member != NULL; member++) {
    snprintf(path, sizeof path, "deny[%zu].%s", index, *member);
    known += exists(reader, path);
    size_t length = strlen(all);
    snprintf(all + length, sizeof all - length, "%s%s", length > 0 ? ", " : "", *member);
  }
  snprintf(path, sizeof path, "deny[%zu]", index);
  int64_t count = reader->config->count(reader->host, path);
  if (count < 0)
    return deny_fail(reader, "%s: must be an object", path);
  return count == known || deny_fail(reader, "%s: may only have the members %s", path, all);
}

bool deny_text(const deny_reader *reader, size_t index, const char *member, const char **out) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "deny[%zu].%s", index, member);
  *out = reader->config->string(reader->host, path);
  return *out != NULL || !exists(reader, path) || deny_fail(reader, "%s: must be a string", path);
}

bool deny_name(const deny_reader *reader, size_t index, const char *member, deny_pattern *out) {
  *out = (deny_pattern){0};
  if (!deny_text(reader, index, member, &out->text))
    return false;
  if (out->text == NULL)
    return true;
  out->length = strlen(out->text);
  const char *star = strchr(out->text, '*');
  if (star == NULL)
    return true;
  out->is_prefix = true;
  out->length--;
  return star[1] == 0 ||
         deny_fail(reader, "deny[%zu].%s: \"%s\" may have a * at its end only", index, member, out->text);
}

bool deny_matches(const deny_pattern *pattern, const char *name, bool is_cut) {
  if (pattern->text == NULL)
    return true;
  size_t length = strlen(name);
  size_t shared = length < pattern->length ? length : pattern->length;
  if (memcmp(pattern->text, name, shared) != 0)
    return false;
  if (length < pattern->length)
    return is_cut;
  return pattern->is_prefix || length == pattern->length;
}
