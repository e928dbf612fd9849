/* SPDX-License-Identifier: Apache-2.0
 * Processes and threads for tests of hooks that are left in unusual ways. */
#ifndef LEAVING_H
#define LEAVING_H

#include <stdint.h>

/* Runs the body in a forked child and returns its exit code, or -1 when it did not exit by itself in time. */
int fixture_in_child(int (*body)(void *), void *context, int seconds);

/* dlopen in a namespace of its own. */
void *fixture_open_apart(const char *path);

/* Hooked by tests of forked processes and of deep stacks, which have functions of their own. */
long fixture_forked(long n);
long fixture_forked_engine(long n);
void fixture_forked_waits(const int *flag, int *entered);
long fixture_deep(long n); /* n, by n calls inside each other */

/* fixture_deep(n) on a thread with a stack of so many MiB. */
long fixture_deep_on_thread(long n, int mebibytes);

/* Asks the C library for memory, copies, locks and writes, so often; 1 when all was right. Any number of threads. */
int fixture_uses_library(int count);

/* Passes sixteen numbers in zmm0 to fixture_zmm_callee, which adds them up; for processors with AVX-512 only. */
int fixture_zmm_sum(const int32_t *sixteen);
void fixture_zmm_callee(void);

/* The addresses of functions that are written in Swift. */
extern const unsigned char kemon_test_swift_throws[], kemon_test_swift_async[], kemon_test_swift_method[];
extern const unsigned char kemon_test_swift_words[], kemon_test_swift_doubles[];

#endif
