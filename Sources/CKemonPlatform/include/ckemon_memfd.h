/* SPDX-License-Identifier: Apache-2.0
 * Anonymous files in memory, which Glibc's Swift module does not offer. */
#ifndef CKEMON_MEMFD_H
#define CKEMON_MEMFD_H
#include <stddef.h>

/* Makes an anonymous file (close-on-exec, sealable) and returns its descriptor, or -errno. Any thread. */
int ckemon_memfd_create(const char *name);

/* Forbids any further change of the file: no write, no growth, no shrinking, no more seals. 0 or -errno. */
int ckemon_memfd_seal(int fd);

/* Whether nothing of the file can change any more: 1 or 0, or -errno when the descriptor cannot say. */
int ckemon_memfd_is_sealed(int fd);
#endif
