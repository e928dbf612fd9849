/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CKEMON_LIBRARY_H
#define CKEMON_LIBRARY_H
#include <stdint.h>

/* Where a library that dlopen has returned is mapped, and the path of its file, which lives as long as it is loaded.
 * Returns 0 when the dynamic linker does not know. */
int ckemon_library_find(void *handle, uintptr_t *base, const char **path);
#endif
