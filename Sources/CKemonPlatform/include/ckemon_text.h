/* SPDX-License-Identifier: Apache-2.0
 * Finding out where a function ends and whose it is. */
#ifndef CKEMON_TEXT_H
#define CKEMON_TEXT_H
#include <stddef.h>
#include <stdint.h>

/* Finds the function that holds pc by its unwind information. Returns 1, or 0 when there is none. Any thread. */
int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size);

/* The function that comes `step` places after the one that holds an address in its object's table (before, when negative).
 * 1 when found. */
int ckemon_function_beside(const void *function, int step, uintptr_t *start, size_t *size);

/* Whether an exported symbol begins exactly there, and its size (0 when it has none). Slow in large libraries. */
int ckemon_symbol_at(const void *address, size_t *size);


/* The name of the object that holds an address ("" for the program itself), or NULL when the dynamic linker does not
 * know it. Valid while the object is loaded. */
const char *ckemon_object_name(const void *address);
#endif
