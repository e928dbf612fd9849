/* SPDX-License-Identifier: Apache-2.0
 *
 * Has a budget of BUDGET nanoseconds (0 = none) and denies when it is spent. Writes what it is told about its thread. When
 * its configuration has a "fd", its handler waits until there is something to read. CONCURRENCY is what its table says.
 */
#define _DEFAULT_SOURCE
#include <inttypes.h>
#include <kemon/kemon.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#ifndef BUDGET
#define BUDGET 0
#endif
#ifndef CONCURRENCY
#define CONCURRENCY KEMON_CONC_FREE
#endif

KEMON_MANIFEST("{\"name\": \"limited\", \"version\": \"0.1.0\", \"abi\": 1, \"extensions\": [\"kemon.thread/1\"]}");

static const kemon_host *host;
static const kemon_ext_thread *thread;
static int64_t fd = -1;

static void tell(const char *where) {
  char line[128];
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  int n = snprintf(line, sizeof line, "%s: role %" PRId32 ", left %" PRIu64, where, thread->role(host),
                   thread->budget_left_ns(host));
  output->write(host, line, (size_t)n);
}

static void *own_thread(void *context) {
  (void)context;
  tell("own thread");
  return NULL;
}

static kemon_status act(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  char byte;
  (void)ctx, (void)event;
  tell("handler");
  return fd < 0 || read((int)fd, &byte, 1) == 1 ? kemon_allow(verdict) : KEMON_E_FAILED;
}

static kemon_status observe(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
  tell("observer");
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  pthread_t own;
  (void)c;
  host = h;
  thread = (const kemon_ext_thread *)h->ext(h, KEMON_EXT_THREAD);
  ((const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG))->integer(h, "fd", &fd);
  tell("create");
  if (pthread_create(&own, NULL, own_thread, NULL) == 0)
    pthread_join(own, NULL);
  kemon_handler handler = {.size = sizeof handler,
                           .name = "act",
                           .kind = "file.open",
                           .fn = act,
                           .phase = KEMON_PHASE_PRE,
                           .timeout_ns = BUDGET,
                           .on_timeout = KEMON_FAIL_DENY};
  kemon_handler observer = {
      .size = sizeof observer, .name = "look", .kind = "file.open", .fn = observe, .flags = KEMON_H_OBSERVE};
  return h->on(h, &handler, NULL, e) == KEMON_OK && h->on(h, &observer, NULL, e) == KEMON_OK ? &host : NULL;
}

static void destroy(void *self) {
  (void)self;
  ((const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT))->write(host, "destroyed", 9);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin,
                                      .abi = KEMON_ABI,
                                      .create = create,
                                      .destroy = destroy,
                                      .concurrency = CONCURRENCY};
  return &plugin;
}
