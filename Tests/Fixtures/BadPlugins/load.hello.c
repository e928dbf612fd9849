/* SPDX-License-Identifier: Apache-2.0
 * Gives its reason without asking whether there is room for one. */
#define ENTRY \
  if (hello->abi_min >> 16 <= 1 && hello->abi_max >> 16 >= 1) \
    return &plugin; \
  strcpy(hello->why, "another major"); \
  return NULL;
#include "bad.h"
