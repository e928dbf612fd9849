/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of plugins that deny by name: {"deny": [{"member": "text", ...}, ...]}. Every error names the path
 * of what is wrong.
 */
#ifndef DENY_LIST_H
#define DENY_LIST_H

#include <kemon/kemon.h>

#include <stdbool.h>
#include <stddef.h>

/* Reads one configuration. Texts that come out of it belong to the host and live as long as the plugin. */
typedef struct deny_reader {
  const kemon_host *host;
  const kemon_ext_config *config;
  kemon_error *error;
  const char *const *members; /* what an element may have, ended by NULL */
  size_t count;               /* elements of the list */
} deny_reader;

/* A name, or the beginning of one. */
typedef struct deny_pattern {
  const char *text; /* NULL matches everything */
  size_t length;
  bool is_prefix;
} deny_pattern;

/* Opens the configuration of a plugin; false with the error filled in when it is no list of that kind. */
bool deny_open(deny_reader *reader, const kemon_host *host, const char *const *members, kemon_error *error);

/* Whether the element is an object of the known members and nothing else. */
bool deny_check(const deny_reader *reader, size_t index);

/* Reads a text of an element; NULL when it is not there. */
bool deny_text(const deny_reader *reader, size_t index, const char *member, const char **out);

/* Reads a name that may end with a star. */
bool deny_name(const deny_reader *reader, size_t index, const char *member, deny_pattern *out);

/* Fills in the error; false, so that it can be returned. */
__attribute__((format(printf, 2, 3))) bool deny_fail(const deny_reader *reader, const char *format, ...);

/* Whether a name is meant. Of a cut event any text may go on: what could match does. */
bool deny_matches(const deny_pattern *pattern, const char *name, bool is_cut);

#endif
