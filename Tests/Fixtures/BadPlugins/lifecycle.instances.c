/* SPDX-License-Identifier: Apache-2.0
 * All instances share one state, which the first that goes takes along. */
static int is_gone;
#define CREATE is_gone = 0
#define DESTROY is_gone = 1
#define ON_OPEN \
  if (is_gone) \
  return kemon_deny(verdict, EPERM, "gone")
#include "bad.h"
