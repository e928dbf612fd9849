/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "call_paths.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PATH __attribute__((noinline, optnone))

PATH long path_add(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }
PATH long path_other(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }
PATH double path_half(double a) { return a / 2; }
PATH double path_mixed(double a, long b, double c, long d, double e, long f, double g, long h, double i, long j,
                       double k, long l, double m, double n, double o, long p) {
  return a + 2 * (double)b + 3 * c + 4 * (double)d + 5 * e + 6 * (double)f + 7 * g + 8 * (double)h + 9 * i +
         10 * (double)j + 11 * k + 12 * (double)l + 13 * m + 14 * n + 15 * o + 16 * (double)p;
}
double path_mixed_of_ones(void) { return path_mixed(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1); }
PATH long path_deep(long n) { return n == 0 ? 0 : 1 + path_deep(n - 1); }

/* Signals. */
static atomic_long arrived, handled_wrong;

static void handle(int signal) {
  (void)signal;
  if (path_add(1, 2, 3, 4, 5, 6) != 21)
    atomic_fetch_add(&handled_wrong, 1);
  atomic_fetch_add(&arrived, 1);
}

long path_interrupted(long signals, long *calls) {
  atomic_store(&arrived, 0);
  atomic_store(&handled_wrong, 0);
  struct sigaction action, old;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  sigaction(SIGURG, &action, &old);
  /* Threads begin with the signals blocked that their maker has blocked. */
  sigset_t signals_of_timer, old_mask;
  sigemptyset(&signals_of_timer);
  sigaddset(&signals_of_timer, SIGURG);
  pthread_sigmask(SIG_UNBLOCK, &signals_of_timer, &old_mask);
  /* A timer interrupts between any two instructions, also when there is one processor. */
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGURG;
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  timer_t timer;
  const struct itimerspec often = {{0, 20000}, {0, 20000}};
  long wrong = 0, made = 0;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0)
    return -1;
  while (atomic_load(&arrived) < signals) {
    for (int i = 0; i < 100; i++)
      wrong += path_add(made + i, 1, 1, 1, 1, 1) != made + i + 5;
    made += 100;
  }
  timer_delete(timer);
  pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
  sigaction(SIGURG, &old, NULL);
  *calls = made + atomic_load(&arrived);
  return wrong + atomic_load(&handled_wrong);
}

/* Coroutines. */
enum { COROUTINES = 3, STACK_SIZE = 1 << 16 };
static ucontext_t outer, inner[COROUTINES];
static char stacks[COROUTINES][STACK_SIZE];
static long results[COROUTINES];

PATH long path_yields(long index) {
  swapcontext(&inner[index], &outer);
  return index + 1;
}

static void run(int index) { results[index] = path_yields(index); }

static void prepare(int index) {
  getcontext(&inner[index]);
  inner[index].uc_stack.ss_sp = stacks[index];
  inner[index].uc_stack.ss_size = STACK_SIZE;
  inner[index].uc_link = &outer;
  results[index] = 0;
  makecontext(&inner[index], (void (*)(void))(uintptr_t)run, 1, index);
  swapcontext(&outer, &inner[index]);
}

long path_coroutines(void) {
  long sum = 0;
  for (int i = 0; i < COROUTINES; i++)
    prepare(i);
  for (int i = 0; i < COROUTINES; i++) {
    swapcontext(&outer, &inner[i]);
    sum += results[i];
  }
  return sum;
}

static void *resume(void *unused) {
  swapcontext(&outer, &inner[0]);
  return unused;
}

long path_migrates(void) {
  pthread_t thread;
  prepare(0);
  if (pthread_create(&thread, NULL, resume, NULL) != 0)
    return -1;
  pthread_join(thread, NULL);
  return results[0];
}

const void *path_address(call_path path) {
  switch (path) {
  case PATH_ADD: return (const void *)(uintptr_t)path_add;
  case PATH_OTHER: return (const void *)(uintptr_t)path_other;
  case PATH_HALF: return (const void *)(uintptr_t)path_half;
  case PATH_MIXED: return (const void *)(uintptr_t)path_mixed;
  case PATH_DEEP: return (const void *)(uintptr_t)path_deep;
  case PATH_YIELDS: return (const void *)(uintptr_t)path_yields;
  }
  return NULL;
}
