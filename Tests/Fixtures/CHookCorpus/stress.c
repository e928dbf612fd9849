/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_stress.h"
#include "hook_corpus.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define MARK 0x6b656d6f6e686f6fu

struct stress_shared {
  _Atomic(uint64_t) stop;
  _Atomic(uint64_t) pre, post, unpaired;
  _Alignas(64) uint64_t number;
};

__attribute__((noinline, aligned(16))) static long plain(long a, long b, long c, long d, long e, long f) {
  __asm__ volatile("" ::: "memory");
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;
}

#if defined(__x86_64__) && defined(__linux__)
extern const unsigned char corpus_swap_retry[];
static const void *retry(void) { return corpus_swap_retry; }
#else
static long swap(long value, long unused, uint64_t *number) {
  (void)unused;
  return (long)__atomic_fetch_add(number, (uint64_t)value, __ATOMIC_SEQ_CST);
}
static const void *retry(void) { return (const void *)(uintptr_t)swap; }
#endif

const void *stress_function(int kind) { return kind == STRESS_RETRY ? retry() : (const void *)(uintptr_t)plain; }

stress_shared *stress_make(void) {
  stress_shared *shared = aligned_alloc(_Alignof(stress_shared), sizeof *shared);
  if (shared != NULL)
    memset(shared, 0, sizeof *shared);
  return shared;
}
void stress_free(stress_shared *shared) { free(shared); }
void stress_stop(stress_shared *shared) { atomic_store(&shared->stop, 1); }
uint64_t stress_pre_count(const stress_shared *shared) { return atomic_load(&shared->pre); }
uint64_t stress_post_count(const stress_shared *shared) { return atomic_load(&shared->post); }
uint64_t stress_unpaired_count(const stress_shared *shared) { return atomic_load(&shared->unpaired); }

uint64_t stress_number(const stress_shared *shared) { return shared->number; }

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static stress_result call(int kind, stress_shared *shared) {
  stress_result result = {0, 0, 0, 0};
  const void *address = stress_function(kind);
  long (*volatile add)(long, long, long, long, long, long);
  long (*volatile swap)(long, long, uint64_t *);
  memcpy((void *)&add, &address, sizeof address);
  memcpy((void *)&swap, &address, sizeof address);
  uint64_t last = now();
  while (atomic_load_explicit(&shared->stop, memory_order_relaxed) == 0) {
    for (long i = 0; i < 64; i++) {
      if (kind == STRESS_RETRY) {
        swap(i, 0, &shared->number);
        result.added += (uint64_t)i;
      } else if (add(i, 1, 2, 3, 4, 5) != i + 70) {
        result.wrong++;
      }
    }
    result.calls += 64;
    uint64_t time = now();
    if (time - last > result.longest_gap)
      result.longest_gap = time - last;
    last = time;
  }
  return result;
}

/* Calls with a signal mask of its own: threads inherit that of whoever makes them, and dispatch's block nearly all. */
static stress_result call_masked(int kind, stress_shared *shared, const sigset_t *mask) {
  sigset_t old;
  pthread_sigmask(SIG_SETMASK, mask, &old);
  stress_result result = call(kind, shared);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return result;
}

stress_result stress_call(int kind, stress_shared *shared) {
  sigset_t none;
  sigemptyset(&none);
  return call_masked(kind, shared, &none);
}

stress_result stress_call_blocked(int kind, stress_shared *shared) {
  sigset_t all;
  sigfillset(&all);
  return call_masked(kind, shared, &all);
}

uint64_t stress_wait(int kind, stress_shared *shared) {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  uint64_t interrupted = 0;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  while (epoll >= 0 && atomic_load(&shared->stop) == 0) {
    struct timespec pause = {0, 20000000};
    struct timeval limit = {0, 20000};
    struct epoll_event event;
    int status = 0;
    errno = 0;
    switch (kind) {
    case 0:
      status = nanosleep(&pause, NULL);
      break;
    case 1:
      status = epoll_wait(epoll, &event, 1, 20);
      break;
    case 2:
      status = poll(NULL, 0, 20);
      break;
    default:
      status = select(0, NULL, NULL, NULL, &limit);
      break;
    }
    if (status < 0 && errno == EINTR)
      interrupted++;
  }
  close(epoll);
  return interrupted;
}

int32_t stress_pre(void *shared, uint64_t *scratch) {
  atomic_fetch_add_explicit(&((stress_shared *)shared)->pre, 1, memory_order_relaxed);
  *scratch = MARK;
  return 0;
}

void stress_post(void *shared, uint64_t *scratch) {
  atomic_fetch_add_explicit(&((stress_shared *)shared)->post, 1, memory_order_relaxed);
  if (*scratch != MARK)
    atomic_fetch_add(&((stress_shared *)shared)->unpaired, 1);
}

int32_t stress_pre_allocating(void *shared, uint64_t *scratch) {
  uint64_t *memory = malloc(64);
  stress_pre(shared, scratch);
  if (memory != NULL)
    *memory = MARK;
  *scratch = (uint64_t)(uintptr_t)memory;
  return 0;
}

void stress_post_allocating(void *shared, uint64_t *scratch) {
  uint64_t *memory = (uint64_t *)(uintptr_t)*scratch;
  uint64_t mark = memory == NULL ? 0 : *memory;
  free(memory);
  stress_post(shared, &mark);
}
