/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_futex.h"
#include "raw_syscall.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

int ckemon_futex_wait(const void *word, uint32_t expected, uint64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                             .tv_nsec = (long)(timeout_ns % 1000000000u)};
  return (int)ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)word, FUTEX_WAIT_PRIVATE, (long)expected,
                                 (long)(uintptr_t)&timeout, 0, 0);
}

void ckemon_futex_wake_all(const void *word) {
  ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)word, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}
