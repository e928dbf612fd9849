/* SPDX-License-Identifier: Apache-2.0
 * A plugin that has nothing to say, in named arguments: its configuration says which by "lane". */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"typed\", \"version\": \"1.0.0\", \"abi\": 1}");

static kemon_status plain(void *self, const kemon_event *event, kemon_verdict *verdict) {
  (void)self, (void)event, (void)verdict;
  return KEMON_OK;
}

static kemon_status fast(void *self, uint64_t dev, uint64_t ino, int32_t flags, uint32_t mode, kemon_verdict *verdict) {
  (void)self, (void)dev, (void)ino, (void)flags, (void)mode, (void)verdict;
  return KEMON_OK;
}

static kemon_status ffi(void *self, uint64_t dev, uint64_t ino, int32_t flags, double mode, kemon_verdict *verdict) {
  (void)self, (void)dev, (void)ino, (void)flags, (void)mode, (void)verdict;
  return KEMON_OK;
}

static kemon_status words(void *self, const uint64_t *words, kemon_verdict *verdict) {
  (void)self, (void)words, (void)verdict;
  return KEMON_OK;
}

static void *create(const kemon_host *host, const kemon_create *given, kemon_error *error) {
  const kemon_ext_config *config = (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG);
  const char *lane = config->string(host, "lane");
  kemon_handler handler = {.size = sizeof handler, .name = "ignore", .kind = "file.open", .phase = KEMON_PHASE_POST};
  (void)given;
  if (strcmp(lane, "fast") == 0) {
    handler.signature = "dev:L ino:L flags:i mode:I";
    handler.typed = (kemon_any_fn)fast;
  } else if (strcmp(lane, "ffi") == 0) {
    handler.signature = "dev:L ino:L flags:i mode:d";
    handler.typed = (kemon_any_fn)ffi;
  } else if (strcmp(lane, "words") == 0) {
    handler.signature = "[dev:L ino:L flags:i mode:I]";
    handler.typed = (kemon_any_fn)words;
  } else {
    handler.fn = plain;
  }
  return host->on(host, &handler, NULL, error) == KEMON_OK ? (void *)host : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
