/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "kemon_testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define HANDLER_LIMIT 256
#define RECORD_LIMIT (64 * 1024)

typedef struct text_buffer {
  char *bytes;
  size_t length;
} text_buffer;

struct kemon_fake_host {
  kemon_host table;
  char *config;
  kemon_handler handlers[HANDLER_LIMIT]; /* one without a name has been removed */
  size_t handler_count;
  char **kept; /* texts that the plugin may keep */
  size_t kept_count;
  text_buffer log, output;
  pthread_mutex_t lock;
  uint64_t time;
  const kemon_plugin *plugin;
  void *instance;
  int is_started;
  kemon_error error;
};

struct kemon_fake_event {
  const kemon_kind_info *info;
  uint32_t used; /* bytes of the record so far, without the NULs at its end */
  kemon_event *record;
};

/* ---- Texts ---- */

static kemon_fake_host *host_of(const kemon_host *h) { return (kemon_fake_host *)h->priv; }

static void append(kemon_fake_host *host, text_buffer *to, const void *bytes, size_t count, int ends_line) {
  pthread_mutex_lock(&host->lock);
  char *grown = (char *)realloc(to->bytes, to->length + count + 2);
  if (grown != NULL) {
    to->bytes = grown;
    memcpy(grown + to->length, bytes, count);
    to->length += count;
    if (ends_line && (count == 0 || grown[to->length - 1] != '\n'))
      grown[to->length++] = '\n';
    grown[to->length] = 0;
  }
  pthread_mutex_unlock(&host->lock);
}

/* A copy that lives as long as the host. */
static const char *keep(kemon_fake_host *host, const char *text, size_t length) {
  char **grown = (char **)realloc(host->kept, (host->kept_count + 1) * sizeof *grown);
  char *copy = (char *)malloc(length + 1);
  if (grown != NULL)
    host->kept = grown;
  if (grown == NULL || copy == NULL) {
    free(copy);
    return NULL;
  }
  memcpy(copy, text, length);
  copy[length] = 0;
  host->kept[host->kept_count++] = copy;
  return copy;
}

/* ---- The configuration: JSON, read in place ---- */

static const char *skip_space(const char *p) {
  while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
    p++;
  return p;
}

/* Behind a text in quotes. */
static const char *skip_text(const char *p) {
  for (p++; *p != 0 && *p != '"'; p++)
    if (*p == '\\' && p[1] != 0)
      p++;
  return *p == '"' ? p + 1 : p;
}

/* Behind any value. */
static const char *skip_value(const char *p) {
  int depth = 0;
  p = skip_space(p);
  do {
    if (*p == '"') {
      p = skip_text(p);
      continue;
    }
    if (*p == '{' || *p == '[')
      depth++;
    if (*p == '}' || *p == ']')
      depth--;
    if (*p != 0)
      p++;
  } while (*p != 0 && (depth > 0 || (*p != ',' && *p != '}' && *p != ']')));
  return p;
}

/* How many elements or members the container at p has; and the value of number `index`, or of member `name`. */
static int64_t walk(const char *p, int64_t index, const char *name, size_t length, const char **found) {
  int is_object = *p == '{';
  int64_t count = 0;
  p = skip_space(p + 1);
  while (*p != 0 && *p != '}' && *p != ']') {
    const char *key = p;
    if (is_object) {
      p = skip_space(skip_text(p));
      p = skip_space(*p == ':' ? p + 1 : p);
      if (name != NULL && strncmp(key + 1, name, length) == 0 && key[1 + length] == '"')
        *found = p;
    } else if (count == index) {
      *found = p;
    }
    p = skip_space(skip_value(p));
    if (*p == ',')
      p = skip_space(p + 1);
    count++;
  }
  return count;
}

/* The value at a path such as deny[0].id, or NULL. */
static const char *value_at(const kemon_host *h, const char *path) {
  const char *p = skip_space(host_of(h)->config);
  while (*path != 0) {
    const char *found = NULL;
    if (*path == '[' && *p == '[') {
      char *end;
      walk(p, strtoll(path + 1, &end, 10), NULL, 0, &found);
      path = *end == ']' ? end + 1 : end;
    } else if (*p == '{') {
      size_t length = strcspn(path, ".[");
      walk(p, -1, path, length, &found);
      path += length;
    }
    if (found == NULL)
      return NULL;
    p = found;
    if (*path == '.')
      path++;
  }
  return p;
}

static int64_t config_count(const kemon_host *h, const char *path) {
  const char *p = value_at(h, path), *found = NULL;
  return p != NULL && (*p == '{' || *p == '[') ? walk(p, -1, NULL, 0, &found) : -1;
}

/* Escapes other than \n, \t and the character itself stay as they are written. */
static const char *config_string(const kemon_host *h, const char *path) {
  const char *p = value_at(h, path);
  if (p == NULL || *p != '"')
    return NULL;
  const char *end = skip_text(p) - 1;
  char *text = (char *)malloc((size_t)(end - p));
  if (text == NULL)
    return NULL;
  size_t length = 0;
  for (p++; p < end; p++) {
    char c = *p;
    if (c == '\\' && p[1] != 'u')
      c = *++p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
    text[length++] = c;
  }
  const char *kept = keep(host_of(h), text, length);
  free(text);
  return kept;
}

static kemon_status config_integer(const kemon_host *h, const char *path, int64_t *out) {
  const char *p = value_at(h, path);
  char *end;
  if (p == NULL)
    return KEMON_E_NOTFOUND;
  int64_t value = strtoll(p, &end, 10);
  if (end == p || *end == '.' || *end == 'e' || *end == 'E')
    return KEMON_E_INVALID;
  *out = value;
  return KEMON_OK;
}

static kemon_status config_boolean(const kemon_host *h, const char *path, int32_t *out) {
  const char *p = value_at(h, path);
  if (p == NULL)
    return KEMON_E_NOTFOUND;
  if (strncmp(p, "true", 4) != 0 && strncmp(p, "false", 5) != 0)
    return KEMON_E_INVALID;
  *out = *p == 't';
  return KEMON_OK;
}

/* ---- The table ---- */

static kemon_status output_write(const kemon_host *h, const void *bytes, size_t length) {
  append(host_of(h), &host_of(h)->output, bytes, length, 1);
  return KEMON_OK;
}

static const char *no_name(const kemon_host *h, uint32_t id) {
  (void)h, (void)id;
  return "";
}

static const kemon_ext_config config_table = {.size = sizeof config_table,
                                              .count = config_count,
                                              .string = config_string,
                                              .integer = config_integer,
                                              .boolean = config_boolean};
static const kemon_ext_output output_table = {.size = sizeof output_table, .write = output_write};
static const kemon_ext_names names_table = {.size = sizeof names_table, .plugin = no_name, .handler = no_name};

static const void *find(const kemon_host *h, const char *id) {
  (void)h;
  return strcmp(id, KEMON_EXT_CONFIG) == 0   ? (const void *)&config_table
         : strcmp(id, KEMON_EXT_OUTPUT) == 0 ? (const void *)&output_table
         : strcmp(id, KEMON_EXT_NAMES) == 0  ? (const void *)&names_table
                                             : NULL;
}

static void log_line(const kemon_host *h, int32_t level, const char *text, size_t length) {
  (void)level;
  append(host_of(h), &host_of(h)->log, text, length, 1);
}

/* Whether a handler's pattern takes a kind. */
static int takes(const kemon_handler *handler, const char *kind, uint16_t phase) {
  size_t length = strlen(handler->kind);
  if (handler->phase != 0 && handler->phase != phase)
    return 0;
  return length > 0 && handler->kind[length - 1] == '*' ? strncmp(handler->kind, kind, length - 1) == 0
                                                         : strcmp(handler->kind, kind) == 0;
}

static kemon_status register_handler(const kemon_host *h, const kemon_handler *handler, uint64_t *token,
                                     kemon_error *e) {
  kemon_fake_host *host = host_of(h);
  kemon_handler copy = {0};
  size_t count;
  const kemon_kind_info *kinds = kemon_kind_infos(&count);
  int is_known = 0;
  if (handler != NULL)
    memcpy(&copy, handler, handler->size < sizeof copy ? handler->size : sizeof copy);
  if (copy.name == NULL || copy.kind == NULL || (copy.fn == NULL && (copy.signature == NULL || copy.typed == NULL)))
    return kemon_fail(e, KEMON_E_INVALID, "a handler needs a name, a kind and a function");
  /* Operations of MAC policies are named like kinds; which there are is the kernel's. */
  is_known = strncmp(copy.kind, "mac.", 4) == 0;
  for (size_t i = 0; i < count; i++)
    is_known |= takes(&copy, kinds[i].name, kinds[i].phase);
  if (!is_known)
    return kemon_fail(e, KEMON_E_INVALID, "no kind matches the handler's");
  if (kemon_fake_host_handler(host, copy.name) != NULL)
    return kemon_fail(e, KEMON_E_INVALID, "two handlers have one name");
  if (host->handler_count == HANDLER_LIMIT)
    return kemon_fail(e, KEMON_E_FULL, "too many handlers");
  copy.name = keep(host, copy.name, strlen(copy.name));
  copy.kind = keep(host, copy.kind, strlen(copy.kind));
  if (copy.filter != NULL)
    copy.filter = keep(host, copy.filter, strlen(copy.filter));
  if (copy.signature != NULL)
    copy.signature = keep(host, copy.signature, strlen(copy.signature));
  if (copy.name == NULL || copy.kind == NULL)
    return kemon_fail(e, KEMON_E_NOMEM, "out of memory");
  host->handlers[host->handler_count++] = copy;
  if (token != NULL)
    *token = host->handler_count;
  return KEMON_OK;
}

static kemon_status remove_handler(const kemon_host *h, uint64_t token) {
  kemon_fake_host *host = host_of(h);
  if (token == 0 || token > host->handler_count || host->handlers[token - 1].name == NULL)
    return KEMON_E_NOTFOUND;
  host->handlers[token - 1].name = NULL;
  return KEMON_OK;
}

static uint64_t now(const kemon_host *h) { return host_of(h)->time; }

/* ---- Hosts ---- */

kemon_fake_host *kemon_fake_host_new(const char *config_json) {
  kemon_fake_host *host = (kemon_fake_host *)calloc(1, sizeof *host);
  if (host == NULL)
    return NULL;
  host->config = strdup(config_json != NULL ? config_json : "{}");
  if (host->config == NULL) {
    free(host);
    return NULL;
  }
  pthread_mutex_init(&host->lock, NULL);
  host->error.size = sizeof host->error;
  host->time = 1600000000000000000;
  host->table = (kemon_host){.size = sizeof host->table,
                             .abi = KEMON_ABI,
                             .mode = KEMON_MODE_RUN,
                             .plugin_id = 1,
                             .name = "fake-host",
                             .version = "1.0.0",
                             .priv = host,
                             .ext = find,
                             .log = log_line,
                             .on = register_handler,
                             .off = remove_handler,
                             .now = now};
  return host;
}

void kemon_fake_host_free(kemon_fake_host *host) {
  if (host == NULL)
    return;
  if (host->instance != NULL) {
    if (host->is_started && host->plugin->stop != NULL)
      host->plugin->stop(host->instance);
    if (host->plugin->destroy != NULL)
      host->plugin->destroy(host->instance);
  }
  for (size_t i = 0; i < host->kept_count; i++)
    free(host->kept[i]);
  free(host->kept);
  free(host->log.bytes);
  free(host->output.bytes);
  free(host->config);
  pthread_mutex_destroy(&host->lock);
  free(host);
}

kemon_status kemon_fake_host_run(kemon_fake_host *host, kemon_entry_fn entry) {
  kemon_hello hello = {.size = sizeof hello,
                       .abi_min = KEMON_ABI_MAJOR << 16,
                       .abi_max = KEMON_ABI,
                       .mode = KEMON_MODE_RUN,
                       .host_name = "fake-host",
                       .host_version = "1.0.0"};
  kemon_create create = {
      .size = sizeof create, .config_len = (uint32_t)strlen(host->config), .config_json = host->config};
  host->plugin = entry(&hello);
  if (host->plugin == NULL)
    return kemon_fail(&host->error, KEMON_E_UNSUPPORTED, hello.why);
  host->instance = host->plugin->create(&host->table, &create, &host->error);
  if (host->instance == NULL)
    return KEMON_E_FAILED;
  if (host->plugin->start != NULL && host->plugin->start(host->instance, &host->error) != KEMON_OK)
    return KEMON_E_FAILED;
  host->is_started = 1;
  return KEMON_OK;
}

const char *kemon_fake_host_error(const kemon_fake_host *host) { return host->error.text; }
const char *kemon_fake_host_log(const kemon_fake_host *host) { return host->log.bytes ? host->log.bytes : ""; }
const char *kemon_fake_host_output(const kemon_fake_host *host) { return host->output.bytes ? host->output.bytes : ""; }
void kemon_fake_host_set_time(kemon_fake_host *host, uint64_t ns) { host->time = ns; }

const kemon_handler *kemon_fake_host_handler(const kemon_fake_host *host, const char *name) {
  for (size_t i = 0; i < host->handler_count; i++)
    if (host->handlers[i].name != NULL && strcmp(host->handlers[i].name, name) == 0)
      return &host->handlers[i];
  return NULL;
}

static kemon_verdict preset(void) {
  kemon_verdict verdict = {0};
  verdict.size = sizeof verdict;
  verdict.allow_mask = UINT64_MAX;
  return verdict;
}

kemon_verdict kemon_fake_host_ask(kemon_fake_host *host, kemon_fake_event *event) {
  kemon_verdict strongest = preset();
  kemon_event *record = kemon_fake_event_record(event);
  for (size_t i = 0; i < host->handler_count; i++) {
    const kemon_handler *handler = &host->handlers[i];
    kemon_verdict verdict = preset();
    if (handler->name == NULL || handler->fn == NULL || (handler->flags & KEMON_H_OBSERVE) != 0 ||
        !takes(handler, event->info->name, event->info->phase))
      continue;
    if (handler->fn(handler->ctx, record, &verdict) != KEMON_OK) {
      verdict = preset();
      verdict.action = handler->on_fault == KEMON_FAIL_DENY    ? KEMON_DENY
                       : handler->on_fault == KEMON_FAIL_ALLOW ? KEMON_ALLOW
                                                               : KEMON_ABSTAIN;
    }
    if (verdict.action > strongest.action)
      strongest = verdict;
  }
  return strongest;
}

size_t kemon_fake_host_show(kemon_fake_host *host, kemon_fake_event *event) {
  size_t called = 0;
  kemon_event *record = kemon_fake_event_record(event);
  for (size_t i = 0; i < host->handler_count; i++) {
    const kemon_handler *handler = &host->handlers[i];
    kemon_verdict ignored = preset();
    if (handler->name == NULL || handler->fn == NULL || (handler->flags & KEMON_H_OBSERVE) == 0 ||
        !takes(handler, event->info->name, event->info->phase))
      continue;
    handler->fn(handler->ctx, record, &ignored);
    called++;
  }
  return called;
}

/* ---- Events ---- */

kemon_fake_event *kemon_fake_event_new(const char *kind, uint16_t phase) {
  size_t count;
  const kemon_kind_info *infos = kemon_kind_infos(&count), *info = NULL;
  for (size_t i = 0; i < count; i++)
    if (infos[i].phase == phase && strcmp(infos[i].name, kind) == 0)
      info = &infos[i];
  kemon_fake_event *event = info != NULL ? (kemon_fake_event *)calloc(1, sizeof *event) : NULL;
  if (event == NULL)
    return NULL;
  event->record = (kemon_event *)calloc(1, RECORD_LIMIT);
  if (event->record == NULL) {
    free(event);
    return NULL;
  }
  event->info = info;
  event->record->header_size = sizeof *event->record;
  event->record->kind = info->kind;
  event->record->phase = phase;
  event->record->schema = 1;
  event->record->payload_off = sizeof *event->record;
  event->record->payload_size = info->payload_size;
  event->record->seq = 1;
  event->record->time_ns = 1600000000000000000;
  event->used = (uint32_t)sizeof *event->record + info->payload_size;
  return event;
}

void kemon_fake_event_free(kemon_fake_event *event) {
  if (event != NULL)
    free(event->record);
  free(event);
}

/* The place of a field in the record, or NULL. */
static void *place_of(kemon_fake_event *event, const char *name, int is_text, uint32_t *width) {
  size_t count;
  const kemon_field_info *fields = kemon_field_infos(event->info->payload, &count);
  for (size_t i = 0; i < count; i++) {
    int holds_text = strcmp(fields[i].type, "str") == 0 || strcmp(fields[i].type, "list") == 0 ||
                     strcmp(fields[i].type, "bytes") == 0;
    if (strcmp(fields[i].name, name) == 0 && holds_text == is_text) {
      *width = fields[i].width;
      return (char *)event->record + event->record->payload_off + fields[i].offset;
    }
  }
  return NULL;
}

kemon_status kemon_fake_event_bytes(kemon_fake_event *event, const char *field, const void *bytes, uint32_t count) {
  kemon_subject *subject = &event->record->subject;
  uint32_t width;
  void *place = strcmp(field, "exe") == 0      ? &subject->exe
                : strcmp(field, "comm") == 0   ? &subject->comm
                : strcmp(field, "parent") == 0 ? &subject->parent
                                               : place_of(event, field, 1, &width);
  if (place == NULL)
    return KEMON_E_NOTFOUND;
  /* Behind the text there is room for its NUL, and for those that fill the record to a whole word. */
  if (event->used > RECORD_LIMIT - 16 || count > RECORD_LIMIT - 16 - event->used)
    return KEMON_E_FULL;
  kemon_str string = {event->used, count};
  memcpy((char *)event->record + event->used, bytes, count);
  event->used += count;
  ((char *)event->record)[event->used++] = 0;
  memcpy(place, &string, sizeof string);
  return KEMON_OK;
}

kemon_status kemon_fake_event_text(kemon_fake_event *event, const char *field, const char *text) {
  return kemon_fake_event_bytes(event, field, text, (uint32_t)strlen(text));
}

kemon_status kemon_fake_event_number(kemon_fake_event *event, const char *field, int64_t value) {
  uint32_t width = 0;
  void *place = place_of(event, field, 0, &width);
  if (place == NULL)
    return KEMON_E_NOTFOUND;
  memcpy(place, &value, width); /* the low bytes come first on every machine that Kemon knows */
  return KEMON_OK;
}

kemon_subject *kemon_fake_event_subject(kemon_fake_event *event) { return &event->record->subject; }

kemon_event *kemon_fake_event_record(kemon_fake_event *event) {
  uint32_t end = (event->used + 8) & ~7u;
  memset((char *)event->record + event->used, 0, end - event->used);
  event->record->size = end;
  return event->record;
}
