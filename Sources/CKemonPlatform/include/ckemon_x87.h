/* SPDX-License-Identifier: Apache-2.0
 * The x87 register that a long double is returned in. Code that does not use x87 leaves it alone, so that a post handler
 * finds it where the function left it. x86-64 only. */
#ifndef CKEMON_X87_H
#define CKEMON_X87_H

/* Copies the top of the x87 stack to ten bytes; zeros when there is nothing. Leaves it where it is. */
void ckemon_x87_read(void *ten_bytes);

/* Puts ten bytes in the place of the top of the x87 stack, or on top when there is nothing. */
void ckemon_x87_write(const void *ten_bytes);

#endif
