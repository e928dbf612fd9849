/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_thread.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

_Thread_local uint32_t ckemon_thread_number_or_zero;
_Thread_local uint32_t ckemon_thread_role_word;

uint32_t ckemon_thread_number_assign(void) {
  static atomic_uint next = 0;
  ckemon_thread_number_or_zero = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) + 1;
  return ckemon_thread_number_or_zero;
}

void ckemon_thread_set_name(const char *name) {
  char cut[16];
  size_t length = strnlen(name, sizeof cut - 1);
  memcpy(cut, name, length);
  cut[length] = 0;
  pthread_setname_np(pthread_self(), cut);
}
