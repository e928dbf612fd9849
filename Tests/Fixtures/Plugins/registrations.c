/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers many handlers, good and bad, and writes a line for each answer: name, status, line, column, text.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"registrations\", \"version\": \"1.0.0\", \"abi\": 1}");

static const kemon_host *host;
static uint64_t kept;

static kemon_status nothing(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
  return KEMON_OK;
}

static void say(const char *line) {
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  output->write(host, line, strlen(line));
}

static void attempt(const char *what, const kemon_handler *handler) {
  kemon_error e = {.size = sizeof e};
  kemon_status status = host->on(host, handler, &kept, &e);
  char line[512];
  snprintf(line, sizeof line, "%s: %d %u:%u %s", what, status, e.line, e.column, e.text);
  say(line);
}

static kemon_handler good(const char *name) {
  kemon_handler handler = {
      .size = sizeof handler, .name = name, .kind = "file.open", .fn = nothing, .phase = KEMON_PHASE_PRE};
  return handler;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c, (void)e;
  host = h;
  kemon_handler x = good("good");
  attempt("good", &x);
  attempt("twice", &x);
  attempt("null", NULL);
  x = good("removed");
  attempt("removed", &x);
  char line[64];
  snprintf(line, sizeof line, "off: %d", h->off(h, kept));
  say(line);
  snprintf(line, sizeof line, "off again: %d", h->off(h, kept));
  say(line);
  x = good(NULL);
  attempt("no name", &x);
  x = good("");
  attempt("empty name", &x);
  x = good("bad\x1b[name");
  attempt("escape in name", &x);
  x = good("host.mine");
  attempt("reserved name", &x);
  x = good("\xff\xfe");
  attempt("name not text", &x);
  x = good("no-fn");
  x.fn = NULL;
  attempt("no fn", &x);
  x = good("no-kind");
  x.kind = NULL;
  attempt("no kind", &x);
  x.kind = "file.opne";
  attempt("misspelled kind", &x);
  x.kind = "nothing.like.this.exists";
  attempt("unknown kind", &x);
  x.kind = "file.*.open";
  attempt("star inside", &x);
  x.kind = "file.close";
  attempt("no such phase", &x);
  x.kind = "file.open";
  x.phase = 9;
  attempt("bad phase", &x);
  x = good("filter");
  x.filter = "path ^= '/etc/' and nid == 3";
  attempt("bad filter", &x);
  x = good("flags");
  x.flags = 0x80;
  attempt("unknown flags", &x);
  x.flags = KEMON_H_OBSERVE | KEMON_H_SHADOW;
  attempt("observe and shadow", &x);
  x = good("fault");
  x.on_fault = 7;
  attempt("bad on_fault", &x);
  x = good("budget");
  x.on_timeout = 7;
  attempt("bad on_timeout", &x);
  x = good("budget");
  x.timeout_ns = 3600000000001u;
  attempt("long budget", &x);
  x = good("budget");
  x.timeout_ns = 1;
  x.flags = KEMON_H_OBSERVE;
  attempt("observer's budget", &x);
  x = good("budget");
  x.reserved2[1] = 1;
  attempt("reserved", &x);
  x = good("patient");
  x.timeout_ns = 3600000000000u;
  x.on_timeout = KEMON_FAIL_DENY;
  attempt("budget", &x);
  x = good("cache");
  x.cache_fields = 0x80000000u;
  attempt("unknown cache", &x);
  x = good("cached");
  x.cache_fields = KEMON_CACHE_UID | KEMON_CACHE_PATH;
  x.cache_ttl_ns = 1000;
  attempt("cache", &x);
  x = good("first");
  x.size = 56; /* before cache_fields: what follows is not the host's to read */
  x.cache_fields = 0xFFFFFFFFu;
  attempt("first version", &x);
  x = good("short");
  x.size = 8;
  attempt("too short", &x);
  x.size = 1u << 30;
  attempt("too long", &x);

  struct {
    kemon_handler known;
    uint64_t unknown;
  } newer = {good("newer"), 0};
  newer.known.size = sizeof newer;
  attempt("newer, tail zero", &newer.known);
  newer.known.name = "newer-still";
  newer.unknown = 1;
  attempt("newer, tail set", &newer.known);

  kemon_error tiny = {.size = 4, .code = 77};
  x = good(NULL);
  h->on(h, &x, NULL, &tiny);
  snprintf(line, sizeof line, "small error buffer: code %d", tiny.code);
  say(line);
  snprintf(line, sizeof line, "no error buffer: %d", h->on(h, &x, NULL, NULL));
  say(line);
  snprintf(line, sizeof line, "unknown extension: %s", h->ext(h, "kemon.nothing/1") == NULL ? "NULL" : "there");
  say(line);
  return &host;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
