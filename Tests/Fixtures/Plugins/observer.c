/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a line for every event below file.*, and the names of those who voted on it; the rest of its life, too.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"observer\", \"version\": \"0.1.0\", \"abi\": 1, \"after\": [\"voter\"]}");

static const kemon_host *host;
static const kemon_ext_output *output;
static const kemon_ext_names *names;
static uint64_t seen;

static void say(const char *line) { output->write(host, line, strlen(line)); }

static kemon_status observe(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)verdict;
  char line[256];
  const char *plugin = "", *handler = "";
  if (event->votes_count > 0) {
    const kemon_vote *vote = (const kemon_vote *)((const char *)event + event->votes_off);
    plugin = names->plugin(host, vote->plugin_id);
    handler = names->handler(host, vote->handler_id);
  }
  seen++;
  snprintf(line, sizeof line, "event %s verdict %u by %s/%s", kemon_str_ptr(event, event->subject.exe),
           event->verdict, plugin, handler);
  say(line);
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  names = (const kemon_ext_names *)h->ext(h, KEMON_EXT_NAMES);
  kemon_handler handler = {
      .size = sizeof handler, .name = "see", .kind = "file.*", .fn = observe, .flags = KEMON_H_OBSERVE};
  say("create");
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &seen : NULL;
}

static kemon_status start(void *self, kemon_error *e) {
  (void)self, (void)e;
  say("start");
  return KEMON_OK;
}

static void stop(void *self) {
  (void)self;
  char line[64];
  snprintf(line, sizeof line, "stop after %llu events", (unsigned long long)seen);
  say(line);
}

static void destroy(void *self) {
  (void)self;
  say("destroy");
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {sizeof plugin, KEMON_ABI, create, start, stop, destroy};
  return &plugin;
}
