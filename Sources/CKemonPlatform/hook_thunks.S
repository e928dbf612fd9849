/* SPDX-License-Identifier: Apache-2.0
 * The thunks of ckemon_hook.h. One frame on the stack, rbp-based, with complete unwind information, and a personality
 * that ends the call's bookkeeping when an exception passes.
 *
 * A thunk notes the call in the thread's lane by itself when nothing is unusual (see hook_lanes.h); everything else goes
 * to hook_call.c. What counts here is how many calls and returns there are, so that no function is called but the
 * handlers and the original. */
#include "ckemon_hook.h"

#if CKEMON_HOOKS
#include "hook_call.h"
#include "hook_lanes.h"

/* From rsp: 24 words of stack arguments, the last eight of them where the frame later has the vector results. */
#define PLACE CKEMON_CALL_PLACE
#define F(field) (PLACE + CKEMON_FRAME_##field)
#define END (PLACE + CKEMON_CALL_SIZE)
/* Behind that the upper halves of 64-byte registers. */
#define UPPER END
#define UPPER_RESULTS (UPPER + 256)
/* The bytes of all that a thunk has on the stack. */
#define SIZE(width) (END + ((width) / 64) * (UPPER_RESULTS + 64 - UPPER))
/* When the original has returned, its stack arguments make room for what only Swift has. Its functions return up to four
 * words and four vectors, of which handlers see two. Its asynchronous functions take words from the stack when they
 * return: so many bytes. */
#define MORE_RESULTS 0
#define TAKEN 48

#if CKEMON_STACK_WORDS * 8 != PLACE + 64 || CKEMON_FRAME_RESULT_VECTORS != 0 || UPPER % 32 != 0 || \
    CKEMON_HOOK_SELF - CKEMON_HOOK_ORIGINAL != CKEMON_FRAME_HOOK - CKEMON_FRAME_TARGET
#error "the copy of the stack arguments overlaps the vector results only; original and hook are copied at once"
#endif

/* A race detector must see how calls are noted: C does it then. */
#define NOTES_BY_ITSELF 1
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef NOTES_BY_ITSELF
#define NOTES_BY_ITSELF 0
#endif
#endif

/* The first registers with their places: 32 bytes each from an offset. */
.macro EACH operation, width, offset, count
  .altmacro
  .set index, 0
  .rept \count
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
/* All that a thunk keeps of some registers. */
.macro STORE_VECTORS width, lower, upper, count
  .if \width == 64
    EACH STORE, 32, \lower, \count
    EACH STORE_UPPER, 64, \upper, \count
  .elseif \width != 0
    EACH STORE, \width, \lower, \count
  .endif
  .if \width >= 32
    vzeroupper               /* handlers are SSE code: no false dependencies on upper halves */
  .endif
.endm
.macro LOAD_VECTORS width, lower, upper, count
  .if \width == 64
    EACH LOAD, 32, \lower, \count
    EACH LOAD_UPPER, 64, \upper, \count
  .elseif \width != 0
    EACH LOAD, \width, \lower, \count
  .endif
.endm

.macro LOAD_ARGUMENTS width, vectors
  LOAD_VECTORS \width, F(VECTORS), UPPER, \vectors
  movq F(RDI)(%rsp), %rdi
  movq F(RSI)(%rsp), %rsi
  movq F(RDX)(%rsp), %rdx
  movq F(RCX)(%rsp), %rcx
  movq F(R8)(%rsp), %r8
  movq F(R9)(%rsp), %r9
  movq F(R10)(%rsp), %r10
  .if \vectors != 0
    movq F(RAX)(%rsp), %rax
  .else
    xorl %eax, %eax
  .endif
  movq F(TARGET)(%rsp), %r11
.endm

.macro COPY_STACK width, words
  .if \words != 0
    movq F(STACK_ARGUMENTS)(%rsp), %rax
    .if \width >= 32
      EACH COPY, 32, 0, \words / 4
    .else
      EACH COPY, 16, 0, \words / 4
    .endif
  .endif
.endm

/* 32 bytes, in one or two pieces. */
.macro COPY width, index, place
  .if \width == 32
    vmovups \place(%rax), %ymm0
    vmovups %ymm0, \place(%rsp)
  .else
    movups \place(%rax), %xmm0
    movups (\place + 16)(%rax), %xmm1
    movaps %xmm0, \place(%rsp)
    movaps %xmm1, (\place + 16)(%rsp)
  .endif
.endm

/* What handlers find zero: results, scratch, what became of the call, and the number of vector arguments. */
.macro CLEAR width, vectors
  .if \width >= 32
    vpxor %xmm8, %xmm8, %xmm8
    vmovdqu %ymm8, F(RESULT)(%rsp)
    vmovdqu %ymm8, (F(RESULT) + 32)(%rsp)
    vmovdqu %ymm8, F(RESULT_VECTORS)(%rsp)
    vmovdqu %ymm8, (F(RESULT_VECTORS) + 32)(%rsp)
  .else
    xorps %xmm8, %xmm8
    EACH STORE_ZERO, 16, F(RESULT), 2
    .if \vectors != 0
      EACH STORE_ZERO, 16, F(RESULT_VECTORS), 2
    .endif
  .endif
.endm
.macro STORE_ZERO width, index, place
  movups %xmm8, \place(%rsp)
  movups %xmm8, (\place + 16)(%rsp)
.endm

/* The calling thread's lane to a register, or to `none` when it has none. */
.macro OWN_LANE register, none
  movq ckemon_own_lane@gottpoff(%rip), \register
  movq %fs:(\register), \register
  testq \register, \register
  jz \none
.endm

/* The call is over: the top of the lane, which begins where its page does, is the call's note. */
.macro END_NOTE
  movq %r15, %rax
  andq $-CKEMON_LANE_SIZE, %rax
  movq %r15, CKEMON_LANE_TOP(%rax)
.endm

/* Right behind the call of the original. */
.macro KEEP_MORE width
  leaq -(SIZE(\width) + 16)(%rbp), %r11
  andq $-32, %r11            /* rsp as it was in front of the call */
  xchgq %r11, %rsp
  subq %rsp, %r11
  movq %r11, TAKEN(%rsp)
  movq %rcx, MORE_RESULTS(%rsp)
  movq %r8, (MORE_RESULTS + 8)(%rsp)
  movups %xmm2, (MORE_RESULTS + 16)(%rsp)
  movups %xmm3, (MORE_RESULTS + 32)(%rsp)
.endm

/* Undoes the prologue. Behind it the unwind information is that of the frame again. */
.macro EPILOGUE is_call_site
  .cfi_remember_state
  movq -8(%rbp), %rbx
  .cfi_restore %rbx
  movq -16(%rbp), %r15
  .cfi_restore %r15
  .if \is_call_site
    .cfi_offset %rip, -8
  .endif
  leave
  .cfi_def_cfa %rsp, 8
.endm

/* A thunk that keeps `width` bytes of the first `vectors` vector registers and passes `words` of the stack on.
 * rbx is the table, r15 the note of the call: Swift has an error in r12, an object in r13 and a context in r14. */
.macro THUNK name, is_call_site, width, vectors, words, knows_prototype
  .globl \name
  .hidden \name
  .type \name, @function
  .p2align 6
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
  pushq %r15
  .cfi_offset %r15, -32
  subq $SIZE(\width), %rsp
  andq $-32, %rsp            /* no vector crosses a cache line; callers that do not keep the ABI's alignment may come */

  CLEAR \width, \vectors
  movq %rdi, F(RDI)(%rsp)
  movq %rsi, F(RSI)(%rsp)
  movq %rdx, F(RDX)(%rsp)
  movq %rcx, F(RCX)(%rsp)
  movq %r8, F(R8)(%rsp)
  movq %r9, F(R9)(%rsp)
  .if \vectors != 0
    movq %rax, F(RAX)(%rsp)
  .endif
  movq %r10, F(R10)(%rsp)
  .if \is_call_site
    movq %r11, F(TARGET)(%rsp)
    movq 8(%rbp), %r11
    movq -CKEMON_STUB_RETURN(%r11), %r11
    /* The caller's pc is in a stub, which no unwinder knows: show it the program's own return address instead.
     * DW_CFA_val_expression(rip, { breg6 (rbp) 8; deref; const1u CKEMON_STUB_RETURN; minus; deref;
     * plus_uconst CKEMON_HOOK_RESUME; deref }) */
    .cfi_escape 0x16, 0x10, 0x0a, 0x76, 0x08, 0x06, 0x08, CKEMON_STUB_RETURN, 0x1c, 0x06, 0x23, CKEMON_HOOK_RESUME, 0x06
    movq %r11, F(HOOK)(%rsp)
    movq CKEMON_HOOK_RESUME(%r11), %rax
  .else
    movups CKEMON_HOOK_ORIGINAL(%r11), %xmm8
    movups %xmm8, F(TARGET)(%rsp)
    movq 8(%rbp), %rax
  .endif
  movq %rax, F(RETURN_ADDRESS)(%rsp)
  leaq 16(%rbp), %rax
  movq %rax, F(STACK_ARGUMENTS)(%rsp)
  STORE_VECTORS \width, F(VECTORS), UPPER, \vectors

  /* Note the call, unless the thread is new, the lane is full, a handler calls, calls were left without a word, or the
   * handlers change. */
  OWN_LANE %rax, 5f
  leaq PLACE(%rsp), %rsi
  movq CKEMON_LANE_TOP(%rax), %r15
  movq CKEMON_HOOK_TABLE(%r11), %rbx
  cmpq CKEMON_LANE_LIMIT(%rax), %r15
  jae 5f
  testb $CKEMON_NOTE_FLAGS, -CKEMON_NOTE_SIZE(%r15)
  jnz 5f
  cmpq %rsi, (CKEMON_NOTE_FRAME - CKEMON_NOTE_SIZE)(%r15)
  jbe 5f
  leaq CKEMON_NOTE_RUNNING(%rbx), %rcx
  leaq CKEMON_NOTE_SIZE(%r15), %rdx
  movq %rsi, CKEMON_NOTE_FRAME(%r15)
  movq %rcx, (%r15)
  movq %rdx, CKEMON_LANE_TOP(%rax)
  cmpq %rsi, CKEMON_NOTE_FRAME(%r15)
  jne 4f
  cmpq %rbx, CKEMON_HOOK_TABLE(%r11)
  jne 4f
  testq %rbx, %rbx
  jz 4f
  movq CKEMON_TABLE_CONTEXT(%rbx), %rdi
  call *CKEMON_TABLE_PRE(%rbx)
  movq %rbx, (%r15)          /* no handler runs */
  testl %eax, %eax
  jnz 7f
  cmpq $0, CKEMON_TABLE_POST(%rbx)
  je 8f

1:
  COPY_STACK \width, \words
  LOAD_ARGUMENTS \width, \vectors
  call *%r11
  .if \knows_prototype == 0
    KEEP_MORE \width
  .endif
  movq %rax, F(RESULT)(%rsp)
  movq %rdx, F(RESULT2)(%rsp)
  STORE_VECTORS \width, F(RESULT_VECTORS), UPPER_RESULTS, 2

2:
  #if NOTES_BY_ITSELF
    OWN_LANE %rax, 3f
    leaq CKEMON_NOTE_SIZE(%r15), %rcx
    cmpq %rcx, CKEMON_LANE_TOP(%rax)
    jne 3f                   /* another thread's, not noted, or calls above it were left without a word */
    leaq CKEMON_NOTE_RUNNING(%rbx), %rcx
    movq %rcx, (%r15)
    movq CKEMON_TABLE_CONTEXT(%rbx), %rdi
    leaq PLACE(%rsp), %rsi
    call *CKEMON_TABLE_POST(%rbx)
    END_NOTE
    movq F(HOOK)(%rsp), %rdi
    cmpq %rbx, CKEMON_HOOK_TABLE(%rdi)
    je 9f
    call ckemon_hook_departed
    jmp 9f
  #endif
3:
  leaq PLACE(%rsp), %rdi
  movq %rbx, %rsi
  movq %r15, %rdx
  call ckemon_hook_leave
9:
  movq F(RESULT)(%rsp), %rax
  movq F(RESULT2)(%rsp), %rdx
  LOAD_VECTORS \width, F(RESULT_VECTORS), UPPER_RESULTS, 2
  .if \knows_prototype == 0
    movq MORE_RESULTS(%rsp), %rcx
    movq (MORE_RESULTS + 8)(%rsp), %r8
    movups (MORE_RESULTS + 16)(%rsp), %xmm2
    movups (MORE_RESULTS + 32)(%rsp), %xmm3
    movq TAKEN(%rsp), %r11
    testq %r11, %r11
    jnz 10f
  .endif
  EPILOGUE \is_call_site
  ret
  .cfi_restore_state
  .if \knows_prototype == 0
10: /* The return address goes up to where the caller expects the stack to be. */
    movq 8(%rbp), %r10
    movq %r10, 8(%rbp, %r11)
    leaq 8(%rbp, %r11), %r11
    .cfi_remember_state
    movq -8(%rbp), %rbx
    .cfi_restore %rbx
    movq -16(%rbp), %r15
    .cfi_restore %r15
    movq (%rbp), %rbp
    .cfi_restore %rbp
    movq %r11, %rsp
    .cfi_def_cfa %rsp, 8
    .if \is_call_site
      .cfi_offset %rip, -8
    .endif
    ret
    .cfi_restore_state
  .endif

4: /* Not so: begin anew. */
  movq %r15, CKEMON_LANE_TOP(%rax)
5: /* The unusual. */
  movq F(HOOK)(%rsp), %rdi
  leaq PLACE(%rsp), %rsi
  call ckemon_hook_enter
  movq %rax, %rbx
  movq %rdx, %r15
  testq %rax, %rax
  jz 6f
  cmpl $0, F(SKIPPED)(%rsp)
  je 1b
7: /* The original is left out. */
  .if \knows_prototype == 0
    movq $0, TAKEN(%rsp)
  .endif
  .if \width == 64
    vpxorq %xmm0, %xmm0, %xmm0
    vmovups %ymm0, UPPER_RESULTS(%rsp)
    vmovups %ymm0, (UPPER_RESULTS + 32)(%rsp)
  .endif
  movl $1, F(SKIPPED)(%rsp)
  cmpq $0, CKEMON_TABLE_POST(%rbx)
  jne 2b
  jmp 3b
8: /* Nobody wants to see the end of the call: it is over for us. */
  movl $CKEMON_STATE_BYPASS, F(STATE)(%rsp)
  END_NOTE
  movq F(HOOK)(%rsp), %rdi
  cmpq %rbx, CKEMON_HOOK_TABLE(%rdi)
  je 6f
  call ckemon_hook_departed
6: /* Nobody is asked (any more). */
  .if \is_call_site
    COPY_STACK \width, \words
  .endif
  LOAD_ARGUMENTS \width, \vectors
  .if \is_call_site
    call *%r11
    EPILOGUE \is_call_site
    ret
  .else
    /* The original returns to the caller itself. */
    EPILOGUE \is_call_site
    jmp *%r11
  .endif
  .cfi_endproc
  .size \name, . - \name
.endm

  .text
.macro THUNKS width, vectors, words, knows_prototype
  THUNK ckemon_entry_thunk_\width\()_\vectors\()_\words, 0, \width, \vectors, \words, \knows_prototype
  THUNK ckemon_call_thunk_\width\()_\vectors\()_\words, 1, \width, \vectors, \words, \knows_prototype
.endm
  THUNKS 0, 0, 0, 1
  THUNKS 0, 0, 8, 1
  THUNKS 16, 2, 0, 1
  THUNKS 16, 8, 0, 1
  THUNKS 16, 8, 8, 1
  THUNKS 32, 8, 24, 0
  THUNKS 16, 8, 24, 0
  THUNKS 64, 8, 24, 0
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
