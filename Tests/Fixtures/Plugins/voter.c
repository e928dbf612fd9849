/* SPDX-License-Identifier: Apache-2.0
 *
 * Denies what is opened below /etc/, as its configuration says: "errno" (13), "shadow" (false), "fault" (false).
 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"voter\", \"version\": \"1.2.3\", \"abi\": 1, \"description\": \"Says no.\","
               " \"extensions\": [\"kemon.config/1\"]}");

static int64_t error = 13;
static int32_t fault;

static kemon_status deny(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event;
  return fault ? KEMON_E_FAILED : kemon_deny(verdict, (int32_t)error, "not below /etc");
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  const kemon_ext_config *config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG);
  int32_t shadow = 0;
  config->integer(h, "errno", &error);
  config->boolean(h, "shadow", &shadow);
  config->boolean(h, "fault", &fault);
  kemon_handler handler = {.size = sizeof handler,
                           .name = "deny-etc",
                           .kind = "file.open",
                           .filter = "path ^= '/etc/'",
                           .fn = deny,
                           .phase = KEMON_PHASE_PRE,
                           .on_fault = KEMON_FAIL_DENY,
                           .flags = shadow ? KEMON_H_SHADOW : 0};
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &error : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
