// SPDX-License-Identifier: Apache-2.0
#include "throwing.h"

extern "C" __attribute__((noinline)) long fixture_throws(long n) {
  if (n > 0)
    throw n;
  return n;
}

extern "C" long fixture_catches(long count) {
  long sum = 0;
  for (long i = 1; i <= count; i++) {
    try {
      sum += fixture_throws(i);
    } catch (long n) {
      sum += n;
    }
  }
  return sum;
}

const void *fixture_throws_address(void) { return reinterpret_cast<const void *>(&fixture_throws); }
