/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts opened files in a counter, and the lengths of their paths in a histogram.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"meters\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.metrics/1\"]}");

static const kemon_host *host;
static const kemon_ext_metrics *metrics;
static kemon_cell *opens;
static uint32_t lengths;

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)verdict;
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  kemon_count(opens, metrics->lane(host), 1);
  metrics->record(host, lengths, kemon_str_len(event, file->path));
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  metrics = (const kemon_ext_metrics *)h->ext(h, KEMON_EXT_METRICS);
  const kemon_ext_output *output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  kemon_cell *other;
  uint32_t id;
  char line[200];
  int made = metrics->counter(h, "opens", "files that were opened", "files", &opens);
  int histogram = metrics->histogram(h, "path.length", NULL, "bytes", &lengths);
  snprintf(line, sizeof line, "made %d %d twice %d name %d null %d host's %d", made, histogram,
           metrics->histogram(h, "opens", NULL, NULL, &id), metrics->counter(h, "No", NULL, NULL, &other),
           metrics->counter(h, NULL, NULL, NULL, &other), metrics->counter(h, "host.opens", NULL, NULL, &other));
  output->write(h, line, strlen(line));
  metrics->record(h, 63, 1);
  kemon_count(NULL, 0, 1);
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open,
                        .phase = KEMON_PHASE_PRE};
  return h->on(h, &open, NULL, e) == KEMON_OK ? &opens : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
