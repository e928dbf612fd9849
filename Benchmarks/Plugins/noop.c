/* SPDX-License-Identifier: Apache-2.0
 * A plugin that has nothing to say: about what its configuration names as "kind", as a voter, or as an observer. */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"noop\", \"version\": \"1.0.0\", \"abi\": 1}");

static kemon_status ignore(void *self, const kemon_event *event, kemon_verdict *verdict) {
  (void)self, (void)event, (void)verdict;
  return KEMON_OK;
}

static void *create(const kemon_host *host, const kemon_create *given, kemon_error *error) {
  const kemon_ext_config *config = (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG);
  int32_t observes = 0;
  kemon_handler handler = {.size = sizeof handler, .name = "ignore", .fn = ignore};
  (void)given;
  handler.kind = config->string(host, "kind");
  config->boolean(host, "observe", &observes);
  handler.flags = observes ? KEMON_H_OBSERVE : 0;
  return host->on(host, &handler, NULL, error) == KEMON_OK ? (void *)host : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
