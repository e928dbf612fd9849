/* SPDX-License-Identifier: Apache-2.0
 * A function that is left by exceptions. */
#ifndef THROWING_H
#define THROWING_H

#ifdef __cplusplus
extern "C" {
#endif

long fixture_throws(long n);      /* throws n for n > 0 */
long fixture_catches(long count); /* the sum of what fixture_throws(1...count) has thrown */
const void *fixture_throws_address(void);

/* The same for another suite. */
long fixture_throws_dynamic(long n);
long fixture_catches_dynamic(long count);
const void *fixture_throws_dynamic_address(void);

#ifdef __cplusplus
}
#endif
#endif
