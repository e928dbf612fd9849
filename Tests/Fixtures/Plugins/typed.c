/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers handlers with named arguments, good and bad, and writes a line for each answer and each call.
 */
#include <inttypes.h>
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"typed\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.typed/1\"]}");

static const kemon_host *host;

static void say(const char *line) {
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  output->write(host, line, strlen(line));
}

/* "path:z flags:i subject.uid:I event:e" */
static kemon_status on_open(void *ctx, const char *path, int32_t flags, uint32_t uid, const kemon_event *event,
                            kemon_verdict *verdict) {
  char line[256];
  snprintf(line, sizeof line, "open: %s %s 0x%x %u %d", (const char *)ctx, path, (unsigned)flags, uid,
           event->subject.pid);
  say(line);
  return strcmp(path, "/etc/shadow") == 0 ? kemon_deny(verdict, 13, "by name") : KEMON_OK;
}

/* "path:b flags:d to?:z nothing?:*i mode:*I" */
static kemon_status on_double(void *ctx, const void *path, size_t length, double flags, const char *to,
                              const int32_t *nothing, const uint32_t *mode, kemon_verdict *verdict) {
  char line[256];
  (void)verdict;
  snprintf(line, sizeof line, "double: %s %.*s %g %s %s %u", (const char *)ctx, (int)length, (const char *)path, flags,
           to == NULL ? "-" : to, nothing == NULL ? "-" : "?", *mode);
  say(line);
  return KEMON_OK;
}

/* "[path:z flags:i subject.uid:I]" */
static kemon_status on_words(void *ctx, const uint64_t *words, kemon_verdict *verdict) {
  char line[256];
  (void)verdict;
  snprintf(line, sizeof line, "words: %s %s 0x%" PRIx64 " %" PRIu64, (const char *)ctx,
           (const char *)(uintptr_t)words[0], words[1], words[2]);
  say(line);
  return KEMON_OK;
}

/* Stands for functions of other prototypes: it takes whatever it gets. */
static kemon_status any(void) { return KEMON_OK; }

static kemon_status plain(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
  return KEMON_OK;
}

static void attempt(const char *what, const char *kind, const char *signature, kemon_any_fn typed, kemon_handler_fn fn) {
  kemon_error e = {.size = sizeof e};
  kemon_handler handler = {.size = sizeof handler, .name = what, .kind = kind, .phase = KEMON_PHASE_PRE,
                           .signature = signature, .typed = typed, .fn = fn, .ctx = (void *)(uintptr_t)"ctx"};
  kemon_status status = host->on(host, &handler, NULL, &e);
  char line[512];
  snprintf(line, sizeof line, "%s: %d %u:%u %s", what, status, e.line, e.column, e.text);
  say(line);
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c, (void)e;
  host = h;
  kemon_any_fn f = (kemon_any_fn)any;
  attempt("open", "file.open", "path:z flags:i subject.uid:I event:e", (kemon_any_fn)on_open, NULL);
  attempt("double", "file.open", "path:b flags:d to?:z nothing?:*i mode:*I", (kemon_any_fn)on_double, NULL);
  attempt("words", "file.open", "[path:z flags:i subject.uid:I]", (kemon_any_fn)on_words, NULL);
  attempt("misspelled", "file.open", "path:z\n flgas:i", f, NULL);
  attempt("sign", "file.open", "mode:i", f, NULL);
  attempt("text as number", "file.open", "path:L", f, NULL);
  attempt("list as text", "process.exec", "argv:z", f, NULL);
  attempt("pattern", "file.*", "flags:i path:z", f, NULL);
  attempt("pattern, optional", "file.*", "flags?:i path:z", f, NULL);
  attempt("syntax", "file.open", "path:z flags:q", f, NULL);
  attempt("result", "file.open", "path:z -> i", f, NULL);
  attempt("both", "file.open", "path:z", f, plain);
  attempt("no function", "file.open", "path:z", NULL, NULL);
  attempt("no signature", "file.open", NULL, f, NULL);
  attempt("operation", "mac.vnode_check_open", "acc_mode:i", f, NULL);

  const kemon_ext_typed *typed = (const kemon_ext_typed *)h->ext(h, KEMON_EXT_TYPED);
  char text[1024], line[1100];
  kemon_error error = {.size = sizeof error};
  kemon_status status = typed->describe(h, "file.open", "path:z to?:z", text, sizeof text, &error);
  snprintf(line, sizeof line, "describe: %d %s", status, text);
  say(line);
  status = typed->describe(h, "file.open", "path:z", text, 10, &error);
  snprintf(line, sizeof line, "describe, short: %d %s", status, error.text);
  say(line);
  return &host;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
