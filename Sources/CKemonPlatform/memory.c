/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_memory.h"
#include <malloc.h>

uint64_t ckemon_allocated_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}
