/* SPDX-License-Identifier: Apache-2.0
 * The functions of ckemon_x87.h: in assembly, because no compiler knows of what lies on the stack here. */
#if defined(__x86_64__)
  .text

/* Sets ZF when the top of the stack is empty: C3, C2, C0 = 1, 0, 1. */
.macro IS_EMPTY
  fxam
  fnstsw %ax
  andl $0x4500, %eax
  cmpl $0x4100, %eax
.endm

.macro FUNCTION name
  .globl \name
  .hidden \name
  .type \name, @function
  .p2align 4
\name:
  .cfi_startproc
  endbr64
.endm
.macro END name
  .cfi_endproc
  .size \name, . - \name
.endm

FUNCTION ckemon_x87_read
  IS_EMPTY
  je 1f
  fld %st(0)
  fstpt (%rdi)
  ret
1:
  movq $0, (%rdi)
  movw $0, 8(%rdi)
  ret
END ckemon_x87_read

FUNCTION ckemon_x87_write
  IS_EMPTY
  je 1f
  fstp %st(0)
1:
  fldt (%rdi)
  ret
END ckemon_x87_write
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
