// SPDX-License-Identifier: Apache-2.0
#include "throwing.h"

// Suites that run side by side have functions of their own.
#define THROWS(suffix)                                                                                                 \
  extern "C" __attribute__((noinline)) long fixture_throws##suffix(long n) {                                           \
    if (n > 0)                                                                                                         \
      throw n;                                                                                                         \
    return n;                                                                                                          \
  }                                                                                                                    \
  extern "C" long fixture_catches##suffix(long count) {                                                                \
    long sum = 0;                                                                                                      \
    for (long i = 1; i <= count; i++) {                                                                                \
      try {                                                                                                            \
        sum += fixture_throws##suffix(i);                                                                              \
      } catch (long n) {                                                                                               \
        sum += n;                                                                                                      \
      }                                                                                                                \
    }                                                                                                                  \
    return sum;                                                                                                        \
  }                                                                                                                    \
  const void *fixture_throws##suffix##_address(void) {                                                                 \
    return reinterpret_cast<const void *>(&fixture_throws##suffix);                                                    \
  }
THROWS()
THROWS(_dynamic)
