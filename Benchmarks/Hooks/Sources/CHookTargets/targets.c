/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_targets.h"
#include <time.h>

#define TARGET(number)                                                                                                 \
  __attribute__((noinline, aligned(64))) static long target_##number(long a, long b, long c, long d, long e, long f) { \
    __asm__ volatile("" ::: "memory");                                                                                 \
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f;                                                                  \
  }
TARGET(0)
TARGET(1)
TARGET(2)
TARGET(3)
TARGET(4)
TARGET(5)
TARGET(6)
TARGET(7)
TARGET(8)
TARGET(9)
TARGET(10)
TARGET(11)
TARGET(12)
TARGET(13)
TARGET(14)

hook_target hook_target_at(size_t index) {
  static const hook_target targets[] = {target_0,  target_1,  target_2,  target_3,  target_4,
                                        target_5,  target_6,  target_7,  target_8,  target_9,
                                        target_10, target_11, target_12, target_13, target_14};
  return index < sizeof targets / sizeof targets[0] ? targets[index] : NULL;
}

uint64_t hook_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((noinline, aligned(64))) double hook_measure(hook_target function, long calls) {
  hook_target volatile pointer = function;
  uint64_t begin = hook_clock();
  long sum = 0;
  for (long i = 0; i < calls; i++)
    sum = pointer(sum, 1, 2, 3, 4, 5);
  uint64_t end = hook_clock();
  return sum == calls * 70 ? (double)(end - begin) / (double)calls : -1;
}
