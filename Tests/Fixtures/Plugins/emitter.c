/* SPDX-License-Identifier: Apache-2.0
 *
 * Declares a kind and emits an event of it for every file.open, about that; watches what others emit. Its name is
 * EMITTER, "emitter" unless given. With the configuration "watch": a pattern that it observes and answers with events of
 * its own.
 */
#include <kemon/kemon.h>
#include <stdio.h>

#ifndef EMITTER
#define EMITTER "emitter"
#endif

KEMON_MANIFEST("{\"name\": \"" EMITTER "\", \"version\": \"1.0.0\", \"abi\": 1,"
               " \"extensions\": [\"kemon.schema/1\", \"kemon.config/1\"]}");

static const kemon_host *host;
static const kemon_ext_schema *schema;
static const kemon_ext_output *output;
static uint16_t kind;
static uint64_t emitted, refused;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
#include <stdarg.h>
static void say(const char *format, ...) {
  char line[512];
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  output->write(host, line, strlen(line));
}

static kemon_status emit(const kemon_event *about, const char *path, uint64_t score) {
  const kemon_value values[] = {kemon_number(score), kemon_text(path), kemon_number((uint64_t)-7)};
  kemon_status status = schema->emit(host, kind, about, values, 3);
  if (status == KEMON_OK)
    emitted++;
  else
    refused++;
  return status;
}

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)verdict;
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  emit(event, kemon_str_ptr(event, file->path), 42);
  return KEMON_OK;
}

static kemon_status on_other(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)verdict;
  kemon_field path = {.size = sizeof path}, score = {.size = sizeof score}, shift = {.size = sizeof shift};
  const kemon_kind_info *info = schema->info(host, event->kind);
  kemon_status found = schema->field(host, event->kind, "path", &path);
  if (found != KEMON_OK || schema->field(host, event->kind, "score", &score) != KEMON_OK ||
      schema->field(host, event->kind, "shift", &shift) != KEMON_OK)
    return KEMON_E_FAILED;
  say("%s saw %s path %s score %llu shift %lld from %s corr %llu flags %x", EMITTER, info->name,
      kemon_str_ptr(event, kemon_field_str(event, &path)), (unsigned long long)kemon_field_u64(event, &score),
      (long long)kemon_field_u64(event, &shift), kemon_str_ptr(event, event->subject.exe),
      (unsigned long long)event->corr, event->flags);
  kemon_status status = emit(NULL, "again", event->flags >> KEMON_EV_DEPTH_SHIFT);
  if (status != KEMON_OK)
    say("%s emit %d", EMITTER, status);
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  schema = (const kemon_ext_schema *)h->ext(h, KEMON_EXT_SCHEMA);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  const kemon_ext_config *config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG);
  static const char json[] = "{\"name\": \"" EMITTER ".alert\", \"fields\": ["
                             "{\"name\": \"score\", \"type\": \"u32\", \"meaning\": \"how bad\"},"
                             "{\"name\": \"path\", \"type\": \"str\", \"meaning\": \"what was opened\"},"
                             "{\"name\": \"shift\", \"type\": \"i32\"}]}";
  if (schema->declare(h, json, &kind, e) != KEMON_OK)
    return NULL;
  uint16_t other = 0;
  kemon_error error = {.size = sizeof error};
  kemon_status status = schema->declare(h, json, &other, NULL);
  say("again %d same %d", status, other == kind);
  status = schema->declare(h, "{\"name\": \"file.x\", \"fields\": []}", &other, &error);
  say("foreign %d %s", status, error.text);
  status = schema->declare(h, "{\"name\":\n 1 2", &other, &error);
  say("broken %d line %u", status, error.line);
  say("undeclared %d", schema->emit(h, KEMON_KIND_FILE_OPEN, NULL, NULL, 0));
  say("too many %d", schema->emit(h, kind, NULL, (kemon_value[4]){{0, NULL, 0}}, 4));
  kemon_field field = {.size = sizeof field};
  status = schema->field(h, KEMON_KIND_FILE_OPEN_PRE, "flags", &field);
  say("flags %d at %u modifiable %u", status, field.offset, field.flags & KEMON_FIELD_MODIFIABLE);
  say("absent %d", schema->field(h, kind, "nothing", &field));
  say("json %s", schema->json(h, kind) != NULL ? "there" : "missing");
  const char *watch = config->string(h, "watch");
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open,
                        .phase = KEMON_PHASE_PRE};
  kemon_handler see = {.size = sizeof see, .name = "see", .kind = watch, .fn = on_other, .flags = KEMON_H_OBSERVE};
  if (watch != NULL)
    return h->on(h, &see, NULL, e) == KEMON_OK ? &kind : NULL;
  return h->on(h, &open, NULL, e) == KEMON_OK ? &kind : NULL;
}

static void stop(void *self) {
  (void)self;
  say("%s emitted %llu refused %llu", EMITTER, (unsigned long long)emitted, (unsigned long long)refused);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .stop = stop};
  return &plugin;
}
