/* SPDX-License-Identifier: Apache-2.0 */
/* my-guard: only root opens what its configuration calls secret. */
#include <errno.h>
#include <kemon/kemon.h>
#include <stdlib.h>

KEMON_MANIFEST("{\"name\": \"my-guard\", \"version\": \"0.1.0\", \"abi\": 1, \"description\": \"Only root opens secrets.\"}");

/* What create makes and destroy frees. Lanes read it at the same time, so it never changes. */
typedef struct my_guard {
  const char *secret;
} my_guard;

/* [lane] Called before a file is opened; the one who opens it waits for the answer. */
static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  const my_guard *self = (const my_guard *)ctx;
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  if (file == NULL)
    return KEMON_E_INVALID; /* on_fault decides */
  if (event->subject.uid == 0 || strcmp(kemon_str_ptr(event, file->path), self->secret) != 0)
    return KEMON_OK; /* no opinion */
  return kemon_deny(verdict, EACCES, "for root only");
}

/* [control] */
static void *create(const kemon_host *host, const kemon_create *create, kemon_error *error) {
  (void)create;
  const kemon_ext_config *config = (const kemon_ext_config *)host->ext(host, KEMON_EXT_CONFIG);
  my_guard *self = (my_guard *)calloc(1, sizeof *self);
  if (self == NULL)
    return kemon_fail(error, KEMON_E_NOMEM, "out of memory"), NULL;
  self->secret = config != NULL ? config->string(host, "secret") : NULL; /* lives as long as the plugin */
  if (self->secret == NULL)
    self->secret = "/etc/shadow";
  const kemon_handler handler = {.size = sizeof handler,
                                 .name = "open",
                                 .kind = "file.open",
                                 .fn = on_open,
                                 .ctx = self,
                                 .phase = KEMON_PHASE_PRE,
                                 .on_fault = KEMON_FAIL_DENY};
  if (host->on(host, &handler, NULL, error) == KEMON_OK)
    return self;
  free(self);
  return NULL;
}

/* [control] */
static void destroy(void *self) { free(self); }

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .destroy = destroy};
  return kemon_speaks(hello) ? &plugin : NULL;
}
