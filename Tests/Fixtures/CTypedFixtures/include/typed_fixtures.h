/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TYPED_FIXTURES_H
#define TYPED_FIXTURES_H

#include <stdint.h>

/* What the last call of typed_record on this thread got: the integer registers, then words of the stack. */
#define TYPED_WORDS 16
const uint64_t *typed_recorded(void);

/* Stands for a function of any prototype of integers and pointers: keeps all words that its arguments may be in. */
const void *typed_recorder(void);

#endif
