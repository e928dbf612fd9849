/* SPDX-License-Identifier: Apache-2.0
 * Calls and jumps to other functions in the first bytes, and recursion. */
#if defined(__x86_64__) && defined(__linux__)
#include "macros.h"
  .text

/* rsi * 2 + 5, and every register that a call may change is changed. */
  .globl corpus_helper
  .hidden corpus_helper
  .type corpus_helper, @function
corpus_helper:
  .cfi_startproc
  lea rax, [rsi + rsi + 5]
  mov rcx, -1
  mov rdx, -1
  mov r8, -1
  mov r9, -1
  mov r10, -1
  mov r11, -1
  ret
  .cfi_endproc
  .size corpus_helper, . - corpus_helper

/* Where it was called from: position independent code of other days gets its address this way. */
  .type corpus_where, @function
corpus_where:
  .cfi_startproc
  mov rax, [rsp]
  ret
  .cfi_endproc
  .size corpus_where, . - corpus_where

CASE call_first
  call corpus_helper
  inc rax
  ret
DONE call_first

CASE call_after
  push rdi
  .cfi_adjust_cfa_offset 8
  call corpus_helper
  pop rdi
  .cfi_adjust_cfa_offset -8
  add rax, rdi
  ret
DONE call_after

CASE call_with_prefixes
  .byte 0x66, 0x66, 0x48
  call corpus_helper
  inc rax
  ret
DONE call_with_prefixes

CASE call_bound
  .byte 0xf2
  call corpus_helper
  inc rax
  ret
DONE call_bound

CASE call_pointer
  call [rip + corpus_helper_pointer]
  inc rax
  ret
DONE call_pointer

CASE call_pointer_wide
  .byte 0x48
  call [rip + corpus_helper_pointer]
  inc rax
  ret
DONE call_pointer_wide

CASE call_register
  push rdi
  .cfi_adjust_cfa_offset 8
  mov rax, r10
  call rax
  pop rdi
  .cfi_adjust_cfa_offset -8
  add rax, rdi
  ret
DONE call_register

/* The callee reads where it returns to: only the true address gives the true result. */
CASE call_where
  call corpus_where
1:
  .byte 0x48, 0x8b, 0x80 # mov rax, [rax + distance]
  .long corpus_near - 1b
  add rax, rdi
  ret
DONE call_where
  .p2align 3
corpus_near:
  .quad 4711

CASE call_where_pointer
  call [rip + corpus_where_pointer]
1:
  .byte 0x48, 0x8b, 0x80 # mov rax, [rax + distance]
  .long corpus_near - 1b
  sub rax, rdi
  ret
DONE call_where_pointer

CASE call_next
  call 1f
  .cfi_adjust_cfa_offset 8
1:
  pop rax
  .cfi_adjust_cfa_offset -8
  .byte 0x48, 0x8b, 0x80 # mov rax, [rax + distance]
  .long corpus_near - 1b
  add rax, rdi
  ret
DONE call_next

CASE jump_thunk
  jmp corpus_helper
DONE jump_thunk

CASE jump_thunk_bound
  .byte 0xf2
  jmp corpus_helper
DONE jump_thunk_bound

  .p2align 4
corpus_short_target:
  lea rax, [rdi + rsi * 2]
  ret
CASE jump_thunk_short
  jmp corpus_short_target
DONE jump_thunk_short
  .p2align 4

CASE jump_pointer
  jmp [rip + corpus_helper_pointer]
DONE jump_pointer

CASE jump_pointer_tracked
  endbr64
  .byte 0xf2
  jmp [rip + corpus_helper_pointer]
  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
DONE jump_pointer_tracked

CASE jump_register
  lea r11, [rip + corpus_helper]
  jmp r11
DONE jump_register

/* Calls itself: rcx + 1 calls in all. */
CASE recursion
  push rcx
  .cfi_adjust_cfa_offset 8
  dec rcx
  js 1f
  call corpus_recursion
  pop rcx
  .cfi_adjust_cfa_offset -8
  add rax, rcx
  ret
  .cfi_adjust_cfa_offset 8
1:
  mov rax, rdi
  pop rcx
  .cfi_adjust_cfa_offset -8
  ret
DONE recursion

CASE recursion_at_once
  jrcxz 1f
  push rdi
  .cfi_adjust_cfa_offset 8
  dec ecx
  call corpus_recursion_at_once
  pop rdi
  .cfi_adjust_cfa_offset -8
  inc rax
  ret
1:
  mov rax, rdi
  ret
DONE recursion_at_once

  .section .data.rel.ro, "aw"
  .p2align 3
corpus_helper_pointer:
  .quad corpus_helper
corpus_where_pointer:
  .quad corpus_where
#endif
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
