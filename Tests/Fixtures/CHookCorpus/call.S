/* SPDX-License-Identifier: Apache-2.0
 * corpus_call(const void *function, corpus_state *state): see hook_corpus.h for the layout. */
#if defined(__x86_64__) && defined(__linux__)
#include "macros.h"
  .text
  .globl corpus_call
  .hidden corpus_call
  .type corpus_call, @function
  .p2align 4
corpus_call:
  .cfi_startproc
  push rbp
  .cfi_def_cfa_offset 16
  .cfi_offset rbp, -16
  mov rbp, rsp
  .cfi_def_cfa_register rbp
  push rbx
  push r12
  push r13
  push r14
  push r15
  .cfi_offset rbx, -24
  .cfi_offset r12, -32
  .cfi_offset r13, -40
  .cfi_offset r14, -48
  .cfi_offset r15, -56
  push rsi
  sub rsp, 64
  mov r11, rdi
  mov rbx, rsi
  .irp word, 0, 8, 16, 24, 32, 40, 48, 56
    mov rax, [rbx + 64 + \word]
    mov [rsp + \word], rax
  .endr
  cmp qword ptr [rbx + 464], 0
  je 1f
  .irp index, 0, 1, 2, 3, 4, 5, 6, 7
    vmovups ymm\index, [rbx + 128 + 32 * \index]
  .endr
  jmp 2f
1:
  .irp index, 0, 1, 2, 3, 4, 5, 6, 7
    movups xmm\index, [rbx + 128 + 32 * \index]
  .endr
2:
  mov rdi, [rbx]
  mov rsi, [rbx + 8]
  mov rdx, [rbx + 16]
  mov rcx, [rbx + 24]
  mov r8, [rbx + 32]
  mov r9, [rbx + 40]
  mov rax, [rbx + 48]
  mov r10, [rbx + 56]
  mov r12, 0x1212
  mov r13, 0x1313
  mov r14, 0x1414
  mov r15, rsp
  call r11
  mov r11, [rbp - 48]
  mov [r11 + 384], rax
  mov [r11 + 392], rdx
  xor eax, eax
  cmp r11, rbx
  jne 3f
  cmp r12, 0x1212
  jne 3f
  cmp r13, 0x1313
  jne 3f
  cmp r14, 0x1414
  jne 3f
  cmp r15, rsp
  jne 3f
  inc eax
3:
  mov [r11 + 472], rax
  cmp qword ptr [r11 + 464], 0
  je 4f
  vmovups [r11 + 400], ymm0
  vmovups [r11 + 432], ymm1
  vzeroupper
  jmp 5f
4:
  movups [r11 + 400], xmm0
  movups [r11 + 432], xmm1
5:
  lea rsp, [rbp - 40]
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  pop rbp
  .cfi_def_cfa rsp, 8
  ret
  .cfi_endproc
  .size corpus_call, . - corpus_call
#endif
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
