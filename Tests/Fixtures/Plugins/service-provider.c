/* SPDX-License-Identifier: Apache-2.0
 *
 * Offers "scale": value times factor, plus what may be missing.
 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"service-provider\", \"version\": \"1.0.0\", \"abi\": 1}");

static double scale(void *ctx, double value, double factor, const int32_t *more) {
  (void)ctx;
  return value * factor + (more == NULL ? 0 : *more);
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  static char self;
  const kemon_ext_typed *typed = (const kemon_ext_typed *)h->ext(h, KEMON_EXT_TYPED);
  kemon_status status =
      typed->provide(h, "scale", "value:d factor:d more?:*i -> d", (kemon_any_fn)scale, NULL, e);
  return status == KEMON_OK ? &self : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
