/* SPDX-License-Identifier: Apache-2.0
 * Cannot be called by two threads, and does not say so. */
static volatile int inside;
#define ON_OPEN \
  if (inside != 0) \
    abort(); \
  inside = 1; \
  for (int i = 0; i < 2000; i++) \
    sink++; \
  inside = 0
#include "bad.h"
