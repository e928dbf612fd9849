/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks at vnode_check_signature by the names of its arguments, which is one function for every prototype that the
 * operation ever had: writes what it sees, and denies when flag 0x10 is set.
 */
#include <inttypes.h>
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"signature-guard\", \"version\": \"1.0.0\", \"abi\": 1}");

static const kemon_host *host;

static kemon_status check(void *ctx, int32_t flags, uint64_t cs_flags, const uint64_t *signer_type, const char *policy,
                          kemon_verdict *verdict) {
  (void)ctx;
  char line[128], signer[24] = "none";
  if (signer_type != NULL)
    snprintf(signer, sizeof signer, "0x%" PRIx64, *signer_type);
  snprintf(line, sizeof line, "%s: flags 0x%x, cs_flags 0x%" PRIx64 ", signer_type %s", policy, (unsigned)flags, cs_flags,
           signer);
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  output->write(host, line, strlen(line));
  return (flags & 0x10) != 0 ? kemon_deny(verdict, 13, "flag 0x10") : KEMON_OK;
}

#ifndef SIGNATURE
#define SIGNATURE "flags:i cs_flags:p signer_type?:*p policy:z"
#endif

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  const kemon_handler handler = {.size = sizeof handler,
                                 .name = "check",
                                 .kind = "mac.vnode_check_signature",
                                 .phase = KEMON_PHASE_PRE,
                                 .on_fault = KEMON_FAIL_DENY,
                                 .signature = SIGNATURE,
                                 .typed = (kemon_any_fn)check};
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &host : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
