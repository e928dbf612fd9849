/* SPDX-License-Identifier: Apache-2.0
 * A plugin that is asked about everything and has nothing to say: what being asked costs. */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"noop\", \"version\": \"1.0.0\", \"abi\": 1}");

static kemon_status ignore(void *self, const kemon_event *event, kemon_verdict *verdict) {
  (void)self, (void)event, (void)verdict;
  return KEMON_OK;
}

static void *create(const kemon_host *host, const kemon_create *given, kemon_error *error) {
  (void)given;
  static const kemon_handler handlers[] = {
      {.size = sizeof *handlers, .name = "before", .kind = "*", .phase = KEMON_PHASE_PRE, .fn = ignore},
      {.size = sizeof *handlers, .name = "after", .kind = "*", .phase = KEMON_PHASE_POST, .fn = ignore}};
  for (unsigned i = 0; i < 2; i++)
    if (host->on(host, &handlers[i], NULL, error) != KEMON_OK)
      return NULL;
  return (void *)host;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
