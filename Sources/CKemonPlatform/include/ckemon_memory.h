/* SPDX-License-Identifier: Apache-2.0
 * How much memory the program has asked for. */
#ifndef CKEMON_MEMORY_H
#define CKEMON_MEMORY_H
#include <stdint.h>

/* Bytes that malloc has given out and not got back. Takes malloc's locks: not in a handler. Any thread. */
uint64_t ckemon_allocated_bytes(void);
#endif
