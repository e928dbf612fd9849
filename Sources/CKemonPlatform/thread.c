/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_thread.h"
#include <pthread.h>
#include <string.h>

_Thread_local uint32_t ckemon_thread_number_or_zero;
_Thread_local uint32_t ckemon_thread_role_word;
_Thread_local uint32_t ckemon_thread_depth_word;
_Thread_local uint64_t ckemon_thread_deadline_word;

static pthread_mutex_t numbers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t numbers_once = PTHREAD_ONCE_INIT;
static pthread_key_t numbers_key;
static uint64_t numbers_used[CKEMON_THREAD_LIMIT / 64];

/* The end of a thread: its number may be another's. Other destructors may ask for one again; that runs this again. */
static void give_back(void *value) {
  uint32_t number = ckemon_thread_number_or_zero;
  (void)value;
  ckemon_thread_number_or_zero = 0;
  if (number == 0 || number > CKEMON_THREAD_LIMIT)
    return;
  pthread_mutex_lock(&numbers_lock);
  numbers_used[(number - 1) / 64] &= ~(UINT64_C(1) << ((number - 1) % 64));
  pthread_mutex_unlock(&numbers_lock);
}

static void make_key(void) { pthread_key_create(&numbers_key, give_back); }

uint32_t ckemon_thread_number_assign(void) {
  uint32_t number = CKEMON_THREAD_LIMIT + 1;
  pthread_once(&numbers_once, make_key);
  pthread_mutex_lock(&numbers_lock);
  for (uint32_t word = 0; word < CKEMON_THREAD_LIMIT / 64; word++) {
    if (numbers_used[word] == UINT64_MAX)
      continue;
    uint32_t bit = (uint32_t)__builtin_ctzll(~numbers_used[word]);
    numbers_used[word] |= UINT64_C(1) << bit;
    number = word * 64 + bit + 1;
    break;
  }
  pthread_mutex_unlock(&numbers_lock);
  ckemon_thread_number_or_zero = number;
  pthread_setspecific(numbers_key, &numbers_lock);
  return number;
}

void ckemon_thread_set_name(const char *name) {
  char cut[16];
  size_t length = strnlen(name, sizeof cut - 1);
  memcpy(cut, name, length);
  cut[length] = 0;
  pthread_setname_np(pthread_self(), cut);
}
