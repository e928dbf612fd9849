/* SPDX-License-Identifier: Apache-2.0
 *
 * Defers its vote on opened files. A thread of its own gives it, as the path says: /allow, /deny, /late (never), or
 * /twice. What else is opened is opened without a ticket, in ways that are not allowed.
 */
#include <errno.h>
#include <kemon/kemon.h>
#include <pthread.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"deferring\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.defer/1\"]}");

static const kemon_host *host;
static const kemon_ext_defer *deferral;
static const kemon_ext_output *output;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static const kemon_event *waiting;
static uint64_t ticket;
static int over;
static pthread_t thread;

static void say(const char *what, int64_t number) {
  char line[128];
  snprintf(line, sizeof line, "%s %lld", what, (long long)number);
  output->write(host, line, strlen(line));
}

static const char *path_of(const kemon_event *event) {
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  return kemon_str_ptr(event, file->path);
}

static void *resolve(void *unused) {
  (void)unused;
  pthread_mutex_lock(&lock);
  while (!over) {
    if (waiting == NULL) {
      pthread_cond_wait(&news, &lock);
      continue;
    }
    const kemon_event *event = waiting;
    uint64_t id = ticket;
    waiting = NULL;
    pthread_mutex_unlock(&lock);
    kemon_verdict verdict = kemon_blank_verdict();
    const char *path = path_of(event);
    if (strcmp(path, "/deny") == 0)
      kemon_deny(&verdict, EACCES, "thought about it");
    else
      kemon_allow(&verdict);
    if (strcmp(path, "/late") != 0)
      say("resolved", deferral->resolve(host, id, &verdict));
    if (strcmp(path, "/twice") == 0)
      say("again", deferral->resolve(host, id, &verdict));
    deferral->release(host, event);
    pthread_mutex_lock(&lock);
  }
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void cancelled(void *ctx, uint64_t id, int32_t reason) {
  (void)ctx, (void)id;
  say("cancelled", reason);
}

static kemon_status on_open(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  const char *path = path_of(event);
  uint64_t id = 0;
  if (strcmp(path, "/no-ticket") == 0)
    return kemon_defer(verdict, 4711);
  if (strcmp(path, "/not-deferred") == 0) {
    deferral->open(host, event, 1, KEMON_FAIL_DENY, cancelled, NULL, &id);
    return KEMON_OK;
  }
  if (strcmp(path, "/bad") == 0) {
    say("no time", deferral->open(host, event, 0, KEMON_FAIL_DENY, cancelled, NULL, &id));
    say("too long", deferral->open(host, event, KEMON_DEFER_TIMEOUT_MAX + 1, 0, cancelled, NULL, &id));
    say("no ticket", deferral->resolve(host, 1u << 30, verdict));
    deferral->release(host, event);
    return KEMON_OK;
  }
  uint64_t timeout = strcmp(path, "/late") == 0 ? 2000000 : KEMON_DEFER_TIMEOUT_MAX;
  kemon_status status = deferral->open(host, event, timeout, KEMON_FAIL_DENY, cancelled, NULL, &id);
  if (status != KEMON_OK)
    return status;
  pthread_mutex_lock(&lock);
  ticket = id;
  waiting = deferral->retain(host, event);
  pthread_cond_signal(&news);
  pthread_mutex_unlock(&lock);
  return kemon_defer(verdict, id);
}

static kemon_status on_close(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)verdict;
  uint64_t id;
  say("in post", deferral->open(host, event, 1, KEMON_FAIL_DENY, NULL, NULL, &id));
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  deferral = (const kemon_ext_defer *)h->ext(h, KEMON_EXT_DEFER);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  kemon_handler open = {.size = sizeof open, .name = "open", .kind = "file.open", .fn = on_open,
                        .phase = KEMON_PHASE_PRE};
  kemon_handler close = {.size = sizeof close, .name = "close", .kind = "file.close", .fn = on_close};
  return h->on(h, &open, NULL, e) == KEMON_OK && h->on(h, &close, NULL, e) == KEMON_OK ? &thread : NULL;
}

static kemon_status start(void *self, kemon_error *e) {
  (void)self;
  over = 0;
  return pthread_create(&thread, NULL, resolve, NULL) == 0 ? KEMON_OK : kemon_fail(e, KEMON_E_FAILED, "no thread");
}

static void stop(void *self) {
  (void)self;
  pthread_mutex_lock(&lock);
  over = 1;
  pthread_cond_signal(&news);
  pthread_mutex_unlock(&lock);
  pthread_join(thread, NULL);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {
      .size = sizeof plugin, .abi = KEMON_ABI, .create = create, .start = start, .stop = stop};
  return &plugin;
}
