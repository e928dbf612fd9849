/* SPDX-License-Identifier: Apache-2.0
 * The two thunks of ckemon_hook.h. One frame on the stack, rbp-based, with complete unwind information. */
#include "ckemon_hook.h"

#if CKEMON_HOOKS
#define F(field) (128 + CKEMON_FRAME_##field)

#if CKEMON_STACK_WORDS * 8 != 128
#error "the thunks copy 128 bytes of stack arguments"
#endif

.macro STORE_VECTORS move, register, offset, first, last
  .altmacro
  .set index, \first
  .rept \last - \first + 1
    VECTOR_STORE \move, \register, %index, \offset
    .set index, index + 1
  .endr
  .noaltmacro
.endm
.macro VECTOR_STORE move, register, index, offset
  \move %\register\index, (\offset + 32 * \index)(%rsp)
.endm
.macro LOAD_VECTORS move, register, offset, first, last
  .altmacro
  .set index, \first
  .rept \last - \first + 1
    VECTOR_LOAD \move, \register, %index, \offset
    .set index, index + 1
  .endr
  .noaltmacro
.endm
.macro VECTOR_LOAD move, register, index, offset
  \move (\offset + 32 * \index)(%rsp), %\register\index
.endm

.macro THUNK name, is_call_site
  .globl \name
  .hidden \name
  .type \name, @function
  .p2align 4
\name:
  .cfi_startproc
  endbr64
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %rbx
  .cfi_offset %rbx, -24
  subq $(128 + CKEMON_FRAME_SIZE), %rsp
  andq $-16, %rsp            /* also for a caller that does not keep the ABI's alignment */

  movq %rdi, F(RDI)(%rsp)
  movq %rsi, F(RSI)(%rsp)
  movq %rdx, F(RDX)(%rsp)
  movq %rcx, F(RCX)(%rsp)
  movq %r8, F(R8)(%rsp)
  movq %r9, F(R9)(%rsp)
  movq %rax, F(RAX)(%rsp)
  movq %r10, F(R10)(%rsp)
  .if \is_call_site
    movq 8(%rbp), %rbx
    movq -CKEMON_STUB_RETURN(%rbx), %rbx
    /* The caller's pc is in a stub, which no unwinder knows: show it the program's own return address instead.
     * DW_CFA_val_expression(rip, { breg3 (rbx) CKEMON_HOOK_RESUME; deref }) */
    .cfi_escape 0x16, 0x10, 0x03, 0x73, CKEMON_HOOK_RESUME, 0x06
    movq CKEMON_HOOK_RESUME(%rbx), %rax
    movq %rax, F(RETURN_ADDRESS)(%rsp)
    movq %r11, F(TARGET)(%rsp)
  .else
    movq %r11, %rbx
    movq 8(%rbp), %rax
    movq %rax, F(RETURN_ADDRESS)(%rsp)
    movq CKEMON_HOOK_ORIGINAL(%rbx), %rax
    movq %rax, F(TARGET)(%rsp)
  .endif
  movq %rbx, F(HOOK)(%rsp)
  leaq 16(%rbp), %rax
  movq %rax, F(STACK_ARGUMENTS)(%rsp)
  testl $CKEMON_HOOK_WIDE, CKEMON_HOOK_FLAGS(%rbx)
  jz 1f
  STORE_VECTORS vmovups, ymm, F(VECTORS), 0, 7
  vzeroupper                 /* handlers are SSE code: no false dependencies on upper halves */
  jmp 2f
1:
  STORE_VECTORS movups, xmm, F(VECTORS), 0, 7
2:
  movq %rbx, %rdi
  leaq 128(%rsp), %rsi
  call ckemon_hook_enter
  cmpl $CKEMON_STATE_SKIP, %eax
  je 5f

  movq F(STACK_ARGUMENTS)(%rsp), %rax
  movups 0(%rax), %xmm8
  movups 16(%rax), %xmm9
  movups 32(%rax), %xmm10
  movups 48(%rax), %xmm11
  movups 64(%rax), %xmm12
  movups 80(%rax), %xmm13
  movups 96(%rax), %xmm14
  movups 112(%rax), %xmm15
  movaps %xmm8, 0(%rsp)
  movaps %xmm9, 16(%rsp)
  movaps %xmm10, 32(%rsp)
  movaps %xmm11, 48(%rsp)
  movaps %xmm12, 64(%rsp)
  movaps %xmm13, 80(%rsp)
  movaps %xmm14, 96(%rsp)
  movaps %xmm15, 112(%rsp)
  testl $CKEMON_HOOK_WIDE, CKEMON_HOOK_FLAGS(%rbx)
  jz 3f
  LOAD_VECTORS vmovups, ymm, F(VECTORS), 0, 7
  jmp 4f
3:
  LOAD_VECTORS movups, xmm, F(VECTORS), 0, 7
4:
  movq F(RDI)(%rsp), %rdi
  movq F(RSI)(%rsp), %rsi
  movq F(RDX)(%rsp), %rdx
  movq F(RCX)(%rsp), %rcx
  movq F(R8)(%rsp), %r8
  movq F(R9)(%rsp), %r9
  movq F(R10)(%rsp), %r10
  movq F(RAX)(%rsp), %rax
  movq F(TARGET)(%rsp), %r11
  call *%r11
  cmpw $CKEMON_STATE_BYPASS, F(STATE)(%rsp)
  je 9f                      /* disarmed: the result stays where it is */

  movq %rax, F(RESULT)(%rsp)
  movq %rdx, F(RESULT2)(%rsp)
  testl $CKEMON_HOOK_WIDE, CKEMON_HOOK_FLAGS(%rbx)
  jz 6f
  STORE_VECTORS vmovups, ymm, F(RESULT_VECTORS), 0, 1
  vzeroupper
  jmp 5f
6:
  STORE_VECTORS movups, xmm, F(RESULT_VECTORS), 0, 1
5:
  movq %rbx, %rdi
  leaq 128(%rsp), %rsi
  call ckemon_hook_leave
  movq F(RESULT)(%rsp), %rax
  movq F(RESULT2)(%rsp), %rdx
  testl $CKEMON_HOOK_WIDE, CKEMON_HOOK_FLAGS(%rbx)
  jz 7f
  LOAD_VECTORS vmovups, ymm, F(RESULT_VECTORS), 0, 1
  jmp 9f
7:
  LOAD_VECTORS movups, xmm, F(RESULT_VECTORS), 0, 1
9:
  movq -8(%rbp), %rbx
  .cfi_restore %rbx
  .if \is_call_site
    .cfi_offset %rip, -8
  .endif
  leave
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
  .size \name, . - \name
.endm

  .text
  THUNK ckemon_entry_thunk, 0
  THUNK ckemon_call_thunk, 1
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
