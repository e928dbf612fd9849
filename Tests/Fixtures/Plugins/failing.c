/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers a handler that denies everything, and then fails where its configuration says: {"at": "create"} or "start".
 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"failing\", \"version\": \"1.0.0\", \"abi\": 1}");

static const kemon_host *host;

static kemon_status deny(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event;
  return kemon_deny(verdict, 1, "must never be asked");
}

static int fails_at(const char *place) {
  const kemon_ext_config *config = (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG);
  const char *at = config->string(host, "at");
  return at != NULL && strcmp(at, place) == 0;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  kemon_handler handler = {.size = sizeof handler, .name = "deny", .kind = "*", .fn = deny};
  if (h->on(h, &handler, NULL, e) != KEMON_OK)
    return NULL;
  if (fails_at("create")) {
    kemon_fail(e, KEMON_E_FAILED, "the rules are missing");
    e->line = 3, e->column = 7;
    return NULL;
  }
  return &host;
}

static kemon_status start(void *self, kemon_error *e) {
  (void)self;
  return fails_at("start") ? kemon_fail(e, KEMON_E_NOMEM, "no room for the table") : KEMON_OK;
}

static void destroy(void *self) {
  (void)self;
  host->log(host, KEMON_LOG_WARN, "destroyed", 9);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .start = start,
                                      .destroy = destroy};
  return &plugin;
}
