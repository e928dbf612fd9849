/* SPDX-License-Identifier: Apache-2.0
 * A call in every shape that near calls have. Each function calls fixture_callee by one call instruction and returns
 * twice its result. */
#ifndef CALL_SHAPES_H
#define CALL_SHAPES_H

#include <stdint.h>

typedef struct call_shape {
  const char *name;
  int (*function)(long first, long second);
  const void *site;   /* the call instruction */
  uint64_t is_no_call; /* 1: what stands there is no call that can be hooked, and must not be run */
} call_shape;

/* All shapes; none on other processors. Static storage. */
const call_shape *call_shapes(long *count);

/* Hooks every shape from C, by kemon/hook.h, and checks results, skipping and restoring. NULL when all is right;
 * otherwise what is not, valid until the next call. */
const char *call_shapes_fail_from_c(void);

#endif
