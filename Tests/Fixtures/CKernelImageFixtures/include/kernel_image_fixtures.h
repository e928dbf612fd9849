/* SPDX-License-Identifier: Apache-2.0
 * Functions of the kernel image that only tests have: one of each kind, and what calls them. */
#ifndef KERNEL_IMAGE_FIXTURES_H
#define KERNEL_IMAGE_FIXTURES_H

#include <stdint.h>

/* Both return the first argument plus twice the second. */
int32_t fixture_plain(int32_t first, int32_t second);
int32_t fixture_patchable(int32_t first, int32_t second);

/* Returns 7; a compiler that looks into it would not ask it. */
int32_t fixture_constant(void);

/* Calls fixture_constant from the file that it is written in. */
int32_t fixture_ask_constant(void);

#endif
