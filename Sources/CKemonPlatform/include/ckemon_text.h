/* SPDX-License-Identifier: Apache-2.0
 * Finding out where a function ends and whose it is. */
#ifndef CKEMON_TEXT_H
#define CKEMON_TEXT_H
#include <stddef.h>
#include <stdint.h>

/* Finds the function that holds pc by its unwind information. Returns 1, or 0 when there is none. Any thread. */
int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size);

/* The sorted table of an object's functions (.eh_frame_hdr), and where the object lies. Valid while it is loaded. */
typedef struct ckemon_function_table {
  uintptr_t header, begin, end;
  uint32_t count;
} ckemon_function_table;

/* Finds the table of the object that holds an address. 1 when found. Any thread. */
int ckemon_function_table_find(const void *address, ckemon_function_table *table);

/* The last row of a table that begins at or before an address; -1 when there is none. */
int64_t ckemon_function_row(const ckemon_function_table *table, const void *address);

/* The function in a row of a table. 1 when there is one whose size can be read. */
int ckemon_function_at_row(const ckemon_function_table *table, int64_t row, uintptr_t *start, size_t *size);

/* Whether an exported symbol begins exactly there, and its size (0 when it has none). Slow in large libraries. */
int ckemon_symbol_at(const void *address, size_t *size);

/* How many exported symbols of the object that holds `from` begin in [from, to), and the names of the first of them; -1
 * when nobody knows. Names are valid while the object is loaded. Looks at all symbols once. */
int64_t ckemon_symbols_between(const void *from, const void *to, const char **names, size_t capacity);

/* The name of the object that holds an address ("" for the program itself), or NULL when the dynamic linker does not
 * know it. Valid while the object is loaded. */
const char *ckemon_object_name(const void *address);
#endif
