/* SPDX-License-Identifier: Apache-2.0
 * The least that a call can cost, and what libffi makes of it. */
#ifndef CALLS_H
#define CALLS_H
#include <stdint.h>

/* Nanoseconds that `count` calls take of a function with three pointers, through a pointer. */
uint64_t calls_through_pointer(uint64_t count);

/* The same, each through ffi_call. 0 when libffi refuses. */
uint64_t calls_through_ffi(uint64_t count);

/* The same for the function of a typed handler: context, four integers, verdict. */
uint64_t calls_with_integers(uint64_t count);
uint64_t calls_with_integers_through_ffi(uint64_t count);
#endif
