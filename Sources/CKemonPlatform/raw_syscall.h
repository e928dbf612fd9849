/* SPDX-License-Identifier: Apache-2.0
 * System calls without the C library: its functions may be hooked, stopped in the middle, or a sanitizer's. */
#ifndef CKEMON_RAW_SYSCALL_H
#define CKEMON_RAW_SYSCALL_H

/* Handlers call it in the middle of a sanitizer's own code. */
#if defined(__clang__)
#define CKEMON_BARE __attribute__((disable_sanitizer_instrumentation))
#else
#define CKEMON_BARE
#endif

#if defined(__x86_64__) && defined(__linux__)
/* Returns what the kernel does: -errno for a failure. */
CKEMON_BARE static inline long ckemon_raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#else
#include <errno.h>
#include <unistd.h>
static inline long ckemon_raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}
#endif
#endif
