/* SPDX-License-Identifier: Apache-2.0
 * Waiting on a 32-bit word, for subscribers that park. */
#ifndef CKEMON_FUTEX_H
#define CKEMON_FUTEX_H
#include <stdint.h>

/* Sleeps while *word == expected, at most timeout_ns nanoseconds; may return early. The word must be aligned to 4 bytes
 * and stay mapped. Returns 0 when woken, or -errno (ETIMEDOUT, EAGAIN, EINTR). Any thread. */
int ckemon_futex_wait(const void *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes every thread that waits on word. Any thread. */
void ckemon_futex_wake_all(const void *word);
#endif
