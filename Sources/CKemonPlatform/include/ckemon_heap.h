/* SPDX-License-Identifier: Apache-2.0
 * What malloc has given out, which Glibc's Swift module does not tell. */
#ifndef CKEMON_HEAP_H
#define CKEMON_HEAP_H
#include <malloc.h>
#include <stddef.h>

/* Bytes that are allocated now, in all arenas' heaps. Any thread; takes the arenas' locks. */
static inline size_t ckemon_heap_in_use(void) { return mallinfo2().uordblks + mallinfo2().hblkhd; }
#endif
