/* SPDX-License-Identifier: Apache-2.0
 *
 * Mutes itself: the process that opens /mute-me, what lies below the path of an open of /below…, and nothing any more
 * after /clear. Denies what it is asked about. With -DOBSERVE it reads events instead.
 */
#include <errno.h>
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"muting\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.mute/1\"]}");

#ifdef OBSERVE
#define FLAGS KEMON_H_OBSERVE
#else
#define FLAGS 0
#endif

static const kemon_host *host;
static const kemon_ext_mute *mute;
static const kemon_ext_output *output;
static uint64_t token;

static void say(const char *what, int64_t number) {
  char line[128];
  snprintf(line, sizeof line, "%s %lld", what, (long long)number);
  output->write(host, line, strlen(line));
}

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  const char *path = kemon_str_ptr(event, file->path);
  verdict->flags |= KEMON_V_CACHEABLE;
  if (strcmp(path, "/mute-me") == 0)
    say("subject", mute->subject(host, token, event->subject.pid, event->subject.start_ns));
  if (strncmp(path, "/below/", 7) == 0)
    say("path", mute->path(host, token, "/below/"));
  if (strcmp(path, "/clear") == 0)
    say("clear", mute->clear(host, token));
  if (strcmp(path, "/invalidate") == 0)
    say("invalidate", mute->invalidate(host));
  return kemon_deny(verdict, EACCES, "seen");
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  mute = (const kemon_ext_mute *)h->ext(h, KEMON_EXT_MUTE);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open, .flags = FLAGS,
                        .phase = KEMON_PHASE_PRE, .cache_fields = KEMON_CACHE_PATH};
  if (h->on(h, &open, &token, e) != KEMON_OK)
    return NULL;
  say("unknown", mute->subject(h, 99, 1, 0));
  return &token;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
