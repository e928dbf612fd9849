/* SPDX-License-Identifier: Apache-2.0
 * Where the handlers of world.c return to. Unwinders know a signal frame by exactly these bytes. */
#if defined(__x86_64__) && defined(__linux__)
  .text
  .globl ckemon_signal_return
  .hidden ckemon_signal_return
  .type ckemon_signal_return, @function
  .p2align 4
  nop
ckemon_signal_return:
  movq $15, %rax
  syscall
  .size ckemon_signal_return, . - ckemon_signal_return
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
