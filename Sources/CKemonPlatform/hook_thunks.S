/* SPDX-License-Identifier: Apache-2.0
 * The thunks of ckemon_hook.h. One frame on the stack, rbp-based, with complete unwind information, and a personality
 * that ends the call's bookkeeping when an exception passes. */
#include "ckemon_hook.h"

#if CKEMON_HOOKS
/* From rsp: 24 words of stack arguments, the last eight of them where the frame later has the vector results. */
#define COPY 128
#define F(field) (COPY + CKEMON_FRAME_##field)
#define UPPER (COPY + CKEMON_CALL_SIZE)
#define UPPER_RESULTS (UPPER + 256)

#if CKEMON_STACK_WORDS * 8 != COPY + 64 || CKEMON_FRAME_RESULT_VECTORS != 0 || CKEMON_CALL_SIZE % 16 != 0
#error "the copy of the stack arguments overlaps the vector results only"
#endif

/* Every register of a list with its place: 32 bytes each from an offset. */
.macro EACH operation, width, offset, last
  .altmacro
  .set index, 0
  .rept \last + 1
    \operation \width, %index, %(\offset + 32 * index)
    .set index, index + 1
  .endr
  .noaltmacro
.endm
.macro STORE width, index, place
  .if \width == 16
    movups %xmm\index, \place(%rsp)
  .else
    vmovups %ymm\index, \place(%rsp)
  .endif
.endm
.macro LOAD width, index, place
  .if \width == 16
    movups \place(%rsp), %xmm\index
  .else
    vmovups \place(%rsp), %ymm\index
  .endif
.endm
.macro STORE_UPPER width, index, place
  vextractf64x4 $1, %zmm\index, \place(%rsp)
.endm
.macro LOAD_UPPER width, index, place
  vinsertf64x4 $1, \place(%rsp), %zmm\index, %zmm\index
.endm

.macro LOAD_ARGUMENTS width
  .if \width == 64
    EACH LOAD, 32, F(VECTORS), 7
    EACH LOAD_UPPER, 64, UPPER, 7
  .elseif \width != 0
    EACH LOAD, \width, F(VECTORS), 7
  .endif
  movq F(RDI)(%rsp), %rdi
  movq F(RSI)(%rsp), %rsi
  movq F(RDX)(%rsp), %rdx
  movq F(RCX)(%rsp), %rcx
  movq F(R8)(%rsp), %r8
  movq F(R9)(%rsp), %r9
  movq F(R10)(%rsp), %r10
  movq F(RAX)(%rsp), %rax
  movq F(TARGET)(%rsp), %r11
.endm

.macro COPY_STACK width
  .if \width != 0
    movq F(STACK_ARGUMENTS)(%rsp), %rax
  .endif
  .if \width >= 32
    .irp place, 0, 32, 64, 96, 128, 160
      vmovups \place(%rax), %ymm0
      vmovups %ymm0, \place(%rsp)
    .endr
  .elseif \width == 16
    .irp place, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176
      movups \place(%rax), %xmm0
      movaps %xmm0, \place(%rsp)
    .endr
  .endif
.endm

/* width: bytes of each vector register to keep; 0 for functions that take up to six integers and return integers. */
.macro THUNK name, is_call_site, width
  .globl \name
  .hidden \name
  .type \name, @function
  .p2align 5
\name:
  .cfi_startproc
  .cfi_personality 0x1b, ckemon_hook_personality
  endbr64
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %rbx
  .cfi_offset %rbx, -24
  .if \width == 64
    subq $(UPPER_RESULTS + 64), %rsp
  .else
    subq $UPPER, %rsp
  .endif
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
  .if \width == 64
    EACH STORE, 32, F(VECTORS), 7
    EACH STORE_UPPER, 64, UPPER, 7
  .elseif \width != 0
    EACH STORE, \width, F(VECTORS), 7
  .endif
  .if \width >= 32
    vzeroupper               /* handlers are SSE code: no false dependencies on upper halves */
  .endif
  movq %rbx, %rdi
  leaq COPY(%rsp), %rsi
  call ckemon_hook_enter
  cmpl $CKEMON_STATE_CALL, %eax
  jne 4f
1:
  COPY_STACK \width
  LOAD_ARGUMENTS \width
  call *%r11
  .if \is_call_site
    cmpw $CKEMON_STATE_BYPASS, F(STATE)(%rsp)
    je 9f                    /* nobody is asked: the result stays where it is */
  .endif

  movq %rax, F(RESULT)(%rsp)
  movq %rdx, F(RESULT2)(%rsp)
  .if \width == 64
    EACH STORE, 32, F(RESULT_VECTORS), 1
    EACH STORE_UPPER, 64, UPPER_RESULTS, 1
  .elseif \width != 0
    EACH STORE, \width, F(RESULT_VECTORS), 1
  .endif
  .if \width >= 32
    vzeroupper
  .endif
3:
  movq %rbx, %rdi
  leaq COPY(%rsp), %rsi
  call ckemon_hook_leave
  movq F(RESULT)(%rsp), %rax
  movq F(RESULT2)(%rsp), %rdx
  .if \width == 64
    EACH LOAD, 32, F(RESULT_VECTORS), 1
    EACH LOAD_UPPER, 64, UPPER_RESULTS, 1
  .elseif \width != 0
    EACH LOAD, \width, F(RESULT_VECTORS), 1
  .endif
9:
  .cfi_remember_state
  movq -8(%rbp), %rbx
  .cfi_restore %rbx
  .if \is_call_site
    .cfi_offset %rip, -8
  .endif
  leave
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_restore_state
4:
  .if \width == 64
    vpxorq %xmm0, %xmm0, %xmm0
    vmovups %ymm0, UPPER_RESULTS(%rsp)
    vmovups %ymm0, (UPPER_RESULTS + 32)(%rsp)
  .endif
  cmpl $CKEMON_STATE_SKIP, %eax
  je 3b
  .if \is_call_site
    jmp 1b
  .else
    /* Nobody wants to see the end of this call: the original returns to the caller itself. */
    LOAD_ARGUMENTS \width
    movq -8(%rbp), %rbx
    .cfi_restore %rbx
    leave
    .cfi_def_cfa %rsp, 8
    jmp *%r11
  .endif
  .cfi_endproc
  .size \name, . - \name
.endm

  .text
  THUNK ckemon_entry_thunk_0, 0, 0
  THUNK ckemon_entry_thunk_16, 0, 16
  THUNK ckemon_entry_thunk_32, 0, 32
  THUNK ckemon_entry_thunk_64, 0, 64
  THUNK ckemon_call_thunk_16, 1, 16
  THUNK ckemon_call_thunk_32, 1, 32
  THUNK ckemon_call_thunk_64, 1, 64
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
