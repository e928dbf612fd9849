/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "leaving.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int fixture_in_child(int (*body)(void *), void *context, int seconds) {
  pid_t child = fork();
  if (child == 0) {
    /* SIGALRM ends a child that hangs. Threads that run tasks block it. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm((unsigned)seconds);
    _exit(body(context));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void *fixture_open_apart(const char *path) { return dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL); }

__attribute__((noinline)) long fixture_forked(long n) { return 3 * n; }

__attribute__((noinline)) long fixture_forked_engine(long n) { return 5 * n; }

__attribute__((noinline)) void fixture_forked_waits(const int *flag, int *entered) {
  __atomic_store_n(entered, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST))
    sched_yield();
}

__attribute__((noinline)) long fixture_deep(long n) { return n == 0 ? 0 : 1 + fixture_deep(n - 1); }

static void *deep(void *number) {
  *(long *)number = fixture_deep(*(long *)number);
  return NULL;
}

long fixture_deep_on_thread(long n, int mebibytes) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, (size_t)mebibytes << 20);
  if (pthread_create(&thread, &attributes, deep, &n) != 0)
    return -1;
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  return n;
}

int fixture_uses_library(int count) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static const char text[96] = "copied";
  /* By pointer, so that the compiler does not copy itself. */
  void *(*volatile copy)(void *, const void *, size_t) = memcpy;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC), right = null >= 0;
  for (int i = 0; i < count; i++) {
    char *memory = malloc(sizeof text);
    if (memory == NULL)
      return 0;
    copy(memory, text, sizeof text);
    pthread_mutex_lock(&mutex);
    right &= memcmp(memory, text, sizeof text) == 0;
    pthread_mutex_unlock(&mutex);
    right &= write(null, memory, sizeof text) == sizeof text;
    free(memory);
  }
  close(null);
  return right;
}

/* On other processors nothing is hooked. */
#if !defined(__x86_64__)
int fixture_zmm_sum(const int32_t *sixteen) {
  (void)sixteen;
  return -1;
}
void fixture_zmm_callee(void) {}
#endif
