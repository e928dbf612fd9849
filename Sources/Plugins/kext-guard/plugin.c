/* SPDX-License-Identifier: Apache-2.0
 *
 * kext-guard: kernel extensions that the configuration names do not start.
 */
#include <errno.h>
#include <stdlib.h>

#include "rules.h"

KEMON_MANIFEST("{\"name\": \"kext-guard\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Keeps kernel extensions from starting\","
               " \"extensions\": [\"kemon.config/1\"],"
               " \"capabilities\": [\"vote\"], \"config\": {\"type\": \"object\", \"additionalProperties\": false, "
               "\"properties\": {\"deny\": {\"type\": \"array\", \"default\": [], \"items\": {\"type\": \"object\", "
               "\"additionalProperties\": false, \"required\": [\"id\"], \"properties\": {\"id\": {\"type\": "
               "\"string\", \"description\": \"a bundle identifier, or its beginning and *\", \"minLength\": 1}, "
               "\"version\": {\"type\": \"string\", \"description\": \"only this version\"}, \"below\": {\"type\": "
               "\"string\", \"description\": \"only older versions\"}, \"from\": {\"type\": \"string\", "
               "\"description\": \"only this version and newer ones\"}, \"reason\": {\"type\": \"string\", "
               "\"description\": \"what people read\"}}}}}}}");

/* The rules do not change after create: lanes share them without a lock. */
static kemon_status on_start(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  const kemon_kext *kext = (const kemon_kext *)kemon_payload(event, sizeof *kext);
  if (kext == NULL)
    return KEMON_E_INVALID;
  const rule *rule = rules_find((const rules *)ctx, kemon_str_ptr(event, kext->name),
                                kemon_str_ptr(event, kext->version), event->flags & KEMON_EV_TRUNCATED);
  if (rule == NULL)
    return KEMON_OK;
  return kemon_deny(verdict, EPERM, rule->reason != NULL ? rule->reason : "denied by configuration");
}

static void *create(const kemon_host *host, const kemon_create *create, kemon_error *error) {
  (void)create;
  rules *rules = rules_read(host, error);
  if (rules == NULL)
    return NULL;
  kemon_handler handler = {.size = sizeof handler,
                           .name = "kext.start",
                           .kind = "kext.start",
                           .fn = on_start,
                           .ctx = rules,
                           .phase = KEMON_PHASE_PRE,
                           .on_fault = KEMON_FAIL_DENY};
  if (host->on(host, &handler, NULL, error) != KEMON_OK) {
    free(rules);
    return NULL;
  }
  return rules;
}

static void destroy(void *self) { free(self); }

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  static const kemon_plugin plugin = {
      .size = sizeof plugin, .abi = KEMON_ABI, .create = create, .destroy = destroy};
  return kemon_speaks(hello) ? &plugin : NULL;
}
