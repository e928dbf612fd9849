/* SPDX-License-Identifier: Apache-2.0
 * Changing code that may be running, and finding out where a function ends. */
#ifndef CKEMON_TEXT_H
#define CKEMON_TEXT_H
#include <stddef.h>
#include <stdint.h>

/* Puts `size` bytes of `content` in place of the whole pages at `pages`, readable and executable. Threads that run
 * there see the old bytes or the new ones, never a mix: one mmap replaces all of the pages. The new pages are a private
 * mapping of a sealed anonymous file, so that nothing was ever writable and executable, and a fork does not share later
 * changes. Returns 0 or -errno, and then nothing has changed. Any thread, one at a time for the same pages. */
int ckemon_text_replace(void *pages, const void *content, size_t size);

/* Finds the function that holds pc by its unwind information. Returns 1, or 0 when there is none. Any thread. */
int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size);
#endif
