/* SPDX-License-Identifier: Apache-2.0
 * Computes for more than its budget. */
#define ON_OPEN \
  for (int i = 0; i < 400000; i++) \
    sink++
#include "bad.h"
