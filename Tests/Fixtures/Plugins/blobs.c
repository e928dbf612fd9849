/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts the files that each process opens in memory of the process, for two processes at a time; denies the third.
 */
#include <errno.h>
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"blobs\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.blob/1\"]}");

typedef struct counts {
  uint64_t opens;
  int32_t pid;
} counts;

static const kemon_host *host;
static const kemon_ext_blob *blob;
static const kemon_ext_output *output;
static uint32_t slot;

static void say(const char *what, int64_t a, int64_t b) {
  char line[128];
  snprintf(line, sizeof line, "%s %lld %lld", what, (long long)a, (long long)b);
  output->write(host, line, strlen(line));
}

static void fini(void *ctx, void *memory) {
  (void)ctx;
  const counts *mine = (const counts *)memory;
  say("fini", mine->pid, (int64_t)mine->opens);
}

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  counts *mine = (counts *)blob->get(host, slot, event);
  if (mine == NULL)
    return KEMON_E_FAILED;
  mine->pid = event->subject.pid;
  return ++mine->opens > 2 ? kemon_deny(verdict, EACCES, "enough") : KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  blob = (const kemon_ext_blob *)h->ext(h, KEMON_EXT_BLOB);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  uint32_t other;
  say("bad", blob->reserve(h, 0, 1, NULL, NULL, &other), blob->reserve(h, 1, 0, NULL, NULL, &other));
  if (blob->reserve(h, sizeof(counts), 2, fini, NULL, &slot) != KEMON_OK)
    return NULL;
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open,
                        .phase = KEMON_PHASE_PRE};
  return h->on(h, &open, NULL, e) == KEMON_OK ? &slot : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
