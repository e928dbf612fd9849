/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what it can read of its configuration, and what calls at the wrong time come to.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"configured\", \"version\": \"1.0.0\", \"abi\": 1}");

static const kemon_host *host;
static const kemon_ext_config *config;
static const kemon_ext_output *output;

static void say(const char *line) { output->write(host, line, strlen(line)); }

static kemon_status wrong_time(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
  char line[128];
  kemon_handler handler = {.size = sizeof handler, .name = "late", .kind = "*", .fn = wrong_time};
  kemon_error e = {.size = sizeof e};
  kemon_status on = host->on(host, &handler, NULL, &e);
  snprintf(line, sizeof line, "in a handler: on %d, off %d, string %s, time %llu", on, host->off(host, 1),
           config->string(host, "text") == NULL ? "NULL" : "there", (unsigned long long)host->now(host));
  say(line);
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  host = h;
  config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  char line[256];
  int64_t number = -7;
  int32_t truth = -7;
  snprintf(line, sizeof line, "json %s, %u bytes, mode %u, id %u", c->config_json, c->config_len, h->mode,
           h->plugin_id);
  say(line);
  const char *text = config->string(h, "text");
  snprintf(line, sizeof line, "text %s, same pointer %d", text, text == config->string(h, "text"));
  say(line);
  snprintf(line, sizeof line, "second id %s", config->string(h, "deny[1].id"));
  say(line);
  snprintf(line, sizeof line, "counts %lld %lld %lld %lld", (long long)config->count(h, "deny"),
           (long long)config->count(h, ""), (long long)config->count(h, "text"), (long long)config->count(h, NULL));
  say(line);
  kemon_status status = config->integer(h, "number", &number);
  snprintf(line, sizeof line, "number %d %lld", status, (long long)number);
  say(line);
  number = -7;
  status = config->integer(h, "text", &number);
  snprintf(line, sizeof line, "number from text %d %lld", status, (long long)number);
  say(line);
  status = config->integer(h, "absent", &number);
  snprintf(line, sizeof line, "absent number %d %lld", status, (long long)number);
  say(line);
  status = config->boolean(h, "truth", &truth);
  snprintf(line, sizeof line, "truth %d %d", status, truth);
  say(line);
  snprintf(line, sizeof line, "bad path %s", config->string(h, "deny[") == NULL ? "NULL" : "there");
  say(line);
  kemon_handler handler = {.size = sizeof handler, .name = "wrong-time", .kind = "file.open", .fn = wrong_time};
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &host : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
