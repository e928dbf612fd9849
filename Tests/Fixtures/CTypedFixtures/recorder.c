/* SPDX-License-Identifier: Apache-2.0 */
#include "typed_fixtures.h"

static _Thread_local uint64_t recorded[TYPED_WORDS];

const uint64_t *typed_recorded(void) { return recorded; }

static int32_t record(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h,
                      uint64_t i, uint64_t j, uint64_t k, uint64_t l, uint64_t m, uint64_t n, uint64_t o, uint64_t p) {
  const uint64_t words[TYPED_WORDS] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p};
  for (int index = 0; index < TYPED_WORDS; index++)
    recorded[index] = words[index];
  return (int32_t)(a ^ 0xBEEF0000u);
}

const void *typed_recorder(void) { return (const void *)(uintptr_t)record; }
