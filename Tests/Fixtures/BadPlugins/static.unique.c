/* SPDX-License-Identifier: Apache-2.0
 * Has a definition that counts once in the process, as inline variables of C++ are. */
#include "bad.h"

__asm__(".pushsection .data\n"
        ".globl once\n"
        ".type once, @gnu_unique_object\n"
        ".size once, 8\n"
        "once: .quad 0\n"
        ".popsection\n");
