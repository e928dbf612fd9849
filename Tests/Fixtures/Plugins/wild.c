/* SPDX-License-Identifier: Apache-2.0
 *
 * Does what its configuration says as "how", whenever a file is to be opened. Denies when it fails, and when it is late.
 */
#define _GNU_SOURCE
#include <kemon/kemon.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

KEMON_MANIFEST("{\"name\": \"wild\", \"version\": \"1.0.0\", \"abi\": 1}");

static const kemon_host *host;
static const char *how;

/* What the compiler makes of "throw 1", for a language without exceptions. */
extern void *__cxa_allocate_exception(size_t size);
extern void __cxa_throw(void *exception, void *type, void (*destructor)(void *)) __attribute__((noreturn));
extern void *_ZTIi;

/* Deeper than any stack; the compiler shall not make a loop of it. */
static __attribute__((noinline)) int fall(volatile char *above) {
  volatile char page[4096];
  page[0] = above != NULL ? above[0] : 1;
  return fall(page) + page[0];
}

static void *call_host(void *unused) {
  kemon_handler handler = {.size = 0};
  (void)unused;
  host->on(host, &handler, NULL, NULL);
  return NULL;
}

static void *sleep_on(void *unused) {
  (void)unused;
  for (;;)
    pause();
}

static void take_memory(size_t limit) {
  for (size_t taken = 0; taken < limit; taken += 1 << 20) {
    char *p = malloc(1 << 20);
    if (p == NULL)
      return;
    memset(p, 1, 1 << 20);
  }
}

static kemon_status act(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  pthread_t thread;
  (void)ctx;
  if (strcmp(how, "crash") == 0)
    *(volatile int *)16 = 1;
  if (strcmp(how, "abort") == 0)
    abort();
  if (strcmp(how, "throw") == 0)
    __cxa_throw(memset(__cxa_allocate_exception(4), 0, 4), &_ZTIi, NULL);
  if (strcmp(how, "exit") == 0)
    exit(0);
  if (strcmp(how, "_exit") == 0)
    _exit(0);
  while (strcmp(how, "hang") == 0)
    pause();
  if (strcmp(how, "slow") == 0)
    usleep(100000);
  if (strcmp(how, "fault") == 0)
    return KEMON_E_FAILED;
  if (strcmp(how, "answer") == 0)
    verdict->action = 99;
  if (strcmp(how, "leak") == 0)
    take_memory(1 << 20);
  if (strcmp(how, "memory") == 0)
    take_memory(SIZE_MAX);
  if (strcmp(how, "wrong-thread") == 0 && pthread_create(&thread, NULL, call_host, NULL) == 0) {
    pthread_join(thread, NULL);
    call_host(NULL);
  }
  if (strcmp(how, "overflow") == 0)
    return fall(NULL);
  if (strcmp(how, "write-event") == 0)
    ((kemon_event *)event)->subject.pid = 4242;
  if (strcmp(how, "close-fds") == 0)
    for (int fd = 0; fd < 1024; fd++)
      close(fd);
  if (strcmp(how, "fork") == 0)
    for (int i = 0; i < 1000; i++)
      if (fork() == 0)
        sleep_on(NULL);
  if (strcmp(how, "threads") == 0)
    for (int i = 0; i < 100000 && pthread_create(&thread, NULL, sleep_on, NULL) == 0; i++) {
    }
  return KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  const kemon_ext_config *config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG);
  kemon_handler handler = {.size = sizeof handler, .name = "act", .kind = "file.open", .fn = act,
                           .phase = KEMON_PHASE_PRE, .on_fault = KEMON_FAIL_DENY, .on_timeout = KEMON_FAIL_DENY};
  (void)c;
  host = h;
  how = config->string(h, "how");
  return how != NULL && h->on(h, &handler, NULL, e) == KEMON_OK ? (void *)h : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
