/* SPDX-License-Identifier: Apache-2.0
 * Breakpoints that lead somewhere. x86-64 Linux. */
#ifndef CKEMON_TRAP_H
#define CKEMON_TRAP_H
#include <stdint.h>

/* From now on a thread that comes to an int3 at `address` goes on at `target`, with every register as it was. Other
 * breakpoints go to the handler that the program had set. Stays for ever, as a thread may have met the int3 just before
 * it was taken away; setting it again changes the target.
 *
 * Returns 0, -ENOSPC when there are too many, or another -errno. Any thread, one at a time. */
int ckemon_trap_set(uintptr_t address, uintptr_t target);
#endif
