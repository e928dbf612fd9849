/* SPDX-License-Identifier: Apache-2.0
 *
 * Observes slowly, votes slowly, and says as reason code in how many calls it was at the same time, at most. Leaves how
 * many events it has observed to the next generation, and writes it when it ends. CONCURRENCY is what its table says.
 */
#include <kemon/kemon.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CONCURRENCY
#define CONCURRENCY KEMON_CONC_SERIAL
#endif

KEMON_MANIFEST("{\"name\": \"tally\", \"version\": \"1.0.0\", \"abi\": 1}");

struct tally {
  const kemon_host *host;
  uint32_t seen;
  atomic_int inside, most;
};

static void work(struct tally *tally) {
  int inside = atomic_fetch_add(&tally->inside, 1) + 1;
  if (inside > atomic_load(&tally->most))
    atomic_store(&tally->most, inside);
  usleep(1000);
  atomic_fetch_sub(&tally->inside, 1);
}

static kemon_status vote(void *self, const kemon_event *event, kemon_verdict *verdict) {
  (void)event;
  struct tally *tally = self;
  work(tally);
  return kemon_say(verdict, KEMON_ALLOW, 0, (uint32_t)atomic_load(&tally->most), "");
}

static kemon_status watch(void *self, const kemon_event *event, kemon_verdict *verdict) {
  (void)event, (void)verdict;
  struct tally *tally = self;
  work(tally);
  tally->seen++;
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  struct tally *tally = calloc(1, sizeof *tally);
  tally->host = h;
  if (c->state_len == sizeof tally->seen)
    memcpy(&tally->seen, c->state, sizeof tally->seen);
  kemon_handler voter = {.size = sizeof voter, .name = "vote", .kind = "file.open", .fn = vote, .ctx = tally,
                         .phase = KEMON_PHASE_PRE};
  kemon_handler observer = {.size = sizeof observer, .flags = KEMON_H_OBSERVE, .name = "watch", .kind = "file.*",
                            .fn = watch, .ctx = tally};
  if (h->on(h, &voter, NULL, e) == KEMON_OK && h->on(h, &observer, NULL, e) == KEMON_OK)
    return tally;
  free(tally);
  return NULL;
}

static kemon_status save(void *self, kemon_sink *sink) {
  struct tally *tally = self;
  return sink->write(sink, &tally->seen, sizeof tally->seen);
}

static void destroy(void *self) {
  struct tally *tally = self;
  const kemon_ext_output *output = (const kemon_ext_output *)tally->host->ext(tally->host, KEMON_EXT_OUTPUT);
  char line[32];
  output->write(tally->host, line, (size_t)snprintf(line, sizeof line, "seen %u\n", tally->seen));
  free(tally);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .save = save,
                                      .destroy = destroy, .concurrency = CONCURRENCY};
  return &plugin;
}
