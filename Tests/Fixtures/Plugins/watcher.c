/* SPDX-License-Identifier: Apache-2.0
 *
 * Is called for every event and has nothing to say, made by definitions:
 *   OBSERVE      reads what is published, instead of being asked
 *   DELAY_US=n   takes so many microseconds for an event
 */
#define _DEFAULT_SOURCE
#include <kemon/kemon.h>
#include <unistd.h>

KEMON_MANIFEST("{\"name\": \"watcher\", \"version\": \"0.1.0\", \"abi\": 1}");

#ifndef OBSERVE
#define OBSERVE 0
#endif

static kemon_status watch(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
#ifdef DELAY_US
  usleep(DELAY_US);
#endif
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  static int self;
  (void)c;
  kemon_handler handler = {
      .size = sizeof handler, .name = "watch", .kind = "*", .fn = watch, .flags = OBSERVE ? KEMON_H_OBSERVE : 0};
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &self : NULL;
}

static void destroy(void *self) { (void)self; }

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {sizeof plugin, KEMON_ABI, create, NULL, NULL, destroy};
  return &plugin;
}
