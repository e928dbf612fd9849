/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that keeps every rule, with places where one can be broken. A file of this folder is named after the rule
 * that it breaks, and defines what it needs before it includes this:
 *
 *   ON_OPEN CREATE START STOP DESTROY   statements of the plugin's functions
 *   SELF                                what create returns
 *   KIND FILTER CACHE CONCURRENCY       of the handler, of the plugin
 *   SAVE RECONFIGURE                    functions, instead of NULL
 *   ENTRY                               statements of the entry, instead of its only one
 *   ERROR                               where registering says why it failed
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <kemon/kemon.h>

#ifndef ON_OPEN
#define ON_OPEN
#endif
#ifndef CREATE
#define CREATE
#endif
#ifndef START
#define START
#endif
#ifndef STOP
#define STOP
#endif
#ifndef DESTROY
#define DESTROY
#endif
#ifndef KIND
#define KIND "file.open"
#endif
#ifndef FILTER
#define FILTER NULL
#endif
#ifndef CACHE
#define CACHE 0
#endif
#ifndef CONCURRENCY
#define CONCURRENCY KEMON_CONC_FREE
#endif
#ifndef SAVE
#define SAVE NULL
#endif
#ifndef RECONFIGURE
#define RECONFIGURE NULL
#endif
#ifndef ENTRY
#define ENTRY return kemon_speaks(hello) ? &plugin : NULL;
#endif
#ifndef ERROR
#define ERROR e
#endif

KEMON_MANIFEST("{\"name\": \"bad\", \"version\": \"1.0.0\", \"abi\": 1}");

/* Keeps what is read from being left out. */
static volatile uint64_t sink;

static const kemon_host *host;
static char self;

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict, (void)sink;
  ON_OPEN;
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c, (void)e;
  host = h;
  CREATE;
  const kemon_handler handler = {.size = sizeof handler,
                                 .name = "open",
                                 .kind = KIND,
                                 .filter = FILTER,
                                 .fn = on_open,
                                 .phase = KEMON_PHASE_PRE,
                                 .cache_fields = CACHE};
  return h->on(h, &handler, NULL, ERROR) == KEMON_OK ? &self : NULL;
}

static kemon_status start(void *ctx, kemon_error *e) {
  (void)ctx, (void)e;
  START;
  return KEMON_OK;
}

static void stop(void *ctx) {
  (void)ctx;
  STOP;
}

static void destroy(void *ctx) {
  (void)ctx;
  DESTROY;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  static kemon_plugin plugin = {.size = sizeof plugin,
                                .abi = KEMON_ABI,
                                .create = create,
                                .start = start,
                                .stop = stop,
                                .destroy = destroy,
                                .concurrency = CONCURRENCY,
                                .save = SAVE,
                                .reconfigure = RECONFIGURE};
  ENTRY
}
