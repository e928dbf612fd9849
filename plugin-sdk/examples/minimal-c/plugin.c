/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"minimal-c\", \"version\": \"1.0.0\", \"abi\": 1}");

/* [lane] Only root may open a file for which the filter below let the event through. */
static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  return event->subject.uid == 0 ? kemon_allow(verdict) : kemon_deny(verdict, EACCES, "for root only");
}

/* [control] */
static void *create(const kemon_host *host, const kemon_create *create, kemon_error *error) {
  (void)create;
  static char self; /* no state, but NULL would mean failure */
  const kemon_handler handler = {.size = sizeof handler,
                                 .name = "open",
                                 .kind = "file.open",
                                 .filter = "path ^= '/etc/shadow'",
                                 .fn = on_open,
                                 .phase = KEMON_PHASE_PRE,
                                 .on_fault = KEMON_FAIL_DENY};
  return host->on(host, &handler, NULL, error) == KEMON_OK ? &self : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return kemon_speaks(hello) ? &plugin : NULL;
}
