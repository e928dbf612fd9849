/* SPDX-License-Identifier: Apache-2.0
 * Calls a function that nobody has. */
int nobody_has_this(void);
#define ON_OPEN sink += (uint64_t)nobody_has_this()
#include "bad.h"
