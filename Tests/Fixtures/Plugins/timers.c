/* SPDX-License-Identifier: Apache-2.0
 *
 * Arms timers in create and in a handler, and writes a line whenever one fires. All in milliseconds.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"timers\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.timer/1\"]}");

#define MS 1000000u

static const kemon_host *host;
static const kemon_ext_timer *timers;
static const kemon_ext_output *output;
static uint64_t periodic;
static int ticks;

static void say(const char *what, uint64_t now) {
  char line[100];
  snprintf(line, sizeof line, "%s at %llu, clock %llu", what, (unsigned long long)(now / MS),
           (unsigned long long)(host->now(host) / MS));
  output->write(host, line, strlen(line));
}

static void once(void *ctx, uint64_t now) { say((const char *)ctx, now); }

static void tick(void *ctx, uint64_t now) {
  (void)ctx;
  say("tick", now);
  if (++ticks == 3)
    timers->cancel(host, periodic);
}

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  static char name[] = "from a handler";
  uint64_t id;
  (void)ctx, (void)verdict;
  say("event", event->time_ns);
  timers->arm(host, 3 * MS, 0, once, name, &id);
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  static char first[] = "first", never[] = "never";
  char line[100];
  uint64_t id;
  (void)c;
  host = h;
  timers = (const kemon_ext_timer *)h->ext(h, KEMON_EXT_TIMER);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  int armed = timers->arm(h, 5 * MS, 0, once, first, &id);
  timers->arm(h, 10 * MS, 10 * MS, tick, NULL, &periodic);
  timers->arm(h, 7 * MS, 0, once, never, &id);
  int cancelled = timers->cancel(h, id), twice = timers->cancel(h, id);
  snprintf(line, sizeof line, "armed %d cancelled %d twice %d short %d", armed, cancelled, twice,
           timers->arm(h, 0, 1, tick, NULL, &id));
  output->write(h, line, strlen(line));
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open,
                        .phase = KEMON_PHASE_PRE};
  return h->on(h, &open, NULL, e) == KEMON_OK ? &periodic : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
