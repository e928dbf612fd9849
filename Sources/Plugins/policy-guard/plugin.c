/* SPDX-License-Identifier: Apache-2.0
 *
 * policy-guard: MAC policies that the configuration names are not registered.
 */
#include <errno.h>
#include <stdlib.h>

#include "rules.h"

KEMON_MANIFEST("{\"name\": \"policy-guard\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Keeps MAC policies from being registered\","
               " \"extensions\": [\"kemon.config/1\"],"
               " \"capabilities\": [\"vote\"], \"config\": {\"type\": \"object\", \"additionalProperties\": false, "
               "\"properties\": {\"deny\": {\"type\": \"array\", \"default\": [], \"items\": {\"type\": \"object\", "
               "\"additionalProperties\": false, \"properties\": {\"name\": {\"type\": \"string\", \"description\": "
               "\"a policy's short name, or its beginning and *\"}, \"operation\": {\"type\": \"string\", "
               "\"description\": \"an operation that it handles, mpo_...\"}, \"reason\": {\"type\": \"string\", "
               "\"description\": \"what people read\"}}}}}}}");

/* The rules do not change after create: lanes share them without a lock. */
static kemon_status on_register(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  const kemon_mac_policy *policy = (const kemon_mac_policy *)kemon_payload(event, sizeof *policy);
  if (policy == NULL)
    return KEMON_E_INVALID;
  const rule *rule = rules_find((const rules *)ctx, event, policy);
  if (rule == NULL)
    return KEMON_OK;
  return kemon_deny(verdict, EEXIST, rule->reason != NULL ? rule->reason : "denied by configuration");
}

static void *create(const kemon_host *host, const kemon_create *create, kemon_error *error) {
  (void)create;
  rules *rules = rules_read(host, error);
  if (rules == NULL)
    return NULL;
  kemon_handler handler = {.size = sizeof handler,
                           .name = "mac.policy_register",
                           .kind = "mac.policy_register",
                           .fn = on_register,
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
