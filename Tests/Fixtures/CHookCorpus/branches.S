/* SPDX-License-Identifier: Apache-2.0
 * Branches: in the first bytes, into the first bytes, and functions that have hardly any bytes. rcx is small (0...7)
 * and rdx points to 64 bytes of memory in every call. */
#if defined(__x86_64__) && defined(__linux__)
#include "macros.h"
  .text

/* All sixteen conditions, short, right behind a comparison. */
.irp condition, o, no, b, ae, e, ne, be, a, s, ns, p, np, l, ge, le, g
CASE short_j\condition
  cmp rdi, rsi
  j\condition 1f
  lea rax, [rdi + 1]
  ret
1:
  lea rax, [rsi + 2]
  ret
DONE short_j\condition
.endr

CASE long_condition
  test edi, edi
  .byte 0x0f, 0x84 # jz rel32
  .long 1f - . - 4
  mov eax, 1
  ret
1:
  mov eax, 2
  ret
DONE long_condition

CASE hinted_condition
  test edi, edi
  .byte 0x2e, 0x74, 6 # jz with the hint "not taken"
  mov eax, 1
  ret
  mov eax, 2
  ret
DONE hinted_condition

CASE bound_condition
  test edi, edi
  .byte 0xf2, 0x0f, 0x84 # bnd jz rel32
  .long 1f - . - 4
  mov eax, 1
  ret
1:
  mov eax, 2
  ret
DONE bound_condition

/* Over an instruction that is moved, too. */
CASE branch_inside
  jrcxz 1f
  xchg eax, edi
1:
  lea rax, [rax + rsi]
  ret
DONE branch_inside

CASE branch_inside_condition
  stc
  jc 1f
  xchg eax, edi
1:
  lea rax, [rax + rsi]
  ret
DONE branch_inside_condition

CASE branch_inside_jump
  jmp 1f
1:
  mov rax, rdi
  ret
DONE branch_inside_jump

/* To the byte right behind the window. */
CASE branch_to_end
  test cl, cl
  jz 1f
  nop
1:
  lea rax, [rdi + rcx]
  ret
DONE branch_to_end

/* Loops that begin where the function does, or one instruction later. */
CASE loop_to_entry
  dec rcx
  jns corpus_loop_to_entry
  mov rax, rcx
  add rax, rdi
  ret
DONE loop_to_entry

CASE loop_on_itself
  push 5
  pop rcx
1:
  loop 1b
  lea rax, [rdi + rcx]
  ret
DONE loop_on_itself

CASE back_to_second
  xor eax, eax
1:
  add rax, rdi
  dec rcx
  jns 1b
  ret
DONE back_to_second

CASE back_to_entry
  add rsi, 3
  dec rcx
  nop
  jns corpus_back_to_entry
  mov rax, rsi
  ret
DONE back_to_entry

CASE back_from_far
  xor eax, eax
1:
  add rax, rdi
  nop
  .fill 200, 1, 0x90
  dec rcx
  jns 1b
  ret
DONE back_from_far

/* Compare and swap until it succeeds: the beginning of many lock-free functions. */
CASE swap_retry
  mov rax, [rdx]
1:
  lea r8, [rax + rdi]
  lock cmpxchg [rdx], r8
  jne 1b
  ret
DONE swap_retry

CASE swap_retry_load
1:
  mov rax, [rdx]
  lea r8, [rax + rdi]
  lock cmpxchg [rdx], r8
  jne 1b
  mov rax, r8
  ret
DONE swap_retry_load

CASE back_by_loop
  xor eax, eax
  inc rcx
1:
  inc eax
  loop 1b
  add rax, rdi
  ret
DONE back_by_loop

CASE loop_forward
  inc rcx
  loop 1f
  mov rax, rdi
  ret
1:
  mov rax, rsi
  ret
DONE loop_forward

CASE loop_equal
  cmp edi, esi
  loope 1f
  mov rax, rcx
  ret
1:
  lea rax, [rcx + 100]
  ret
DONE loop_equal

CASE loop_unequal
  cmp edi, esi
  loopne 1f
  mov rax, rcx
  ret
1:
  lea rax, [rcx + 100]
  ret
DONE loop_unequal

CASE loop_32
  nop
  .byte 0x67, 0xe2, 4 # loop by ecx
  mov rax, rcx
  ret
  lea rax, [rcx + 50]
  ret
DONE loop_32

CASE counter_zero
  jrcxz 1f
  mov rax, rdi
  ret
1:
  mov rax, rsi
  ret
DONE counter_zero

CASE counter_zero_32
  jecxz 1f
  mov rax, rdi
  ret
1:
  mov rax, rsi
  ret
DONE counter_zero_32

/* Two branches into each other's way, and a back branch from behind. */
CASE knot
  test cl, cl
1:
  jz 2f
  dec ecx
  jmp 1b
2:
  lea rax, [rdi + rsi]
  ret
DONE knot

/* A table of distances leads back to a body that branches into the window. */
CASE table_and_back
  mov rax, rdi
1:
  add rax, 5
  lea r8, [rip + corpus_back_table]
  movsxd r9, dword ptr [r8 + rcx * 4]
  add r9, r8
  jmp r9
2:
  dec rcx
  jns 1b
3:
  ret
DONE table_and_back
  .section .rodata
  .p2align 2
corpus_back_table:
  .long 3b - corpus_back_table, 2b - corpus_back_table, 2b - corpus_back_table, 2b - corpus_back_table
  .long 2b - corpus_back_table, 2b - corpus_back_table, 2b - corpus_back_table, 2b - corpus_back_table
  .text

CASE table
  lea r8, [rip + corpus_plain_table]
  and ecx, 1
  movsxd r9, dword ptr [r8 + rcx * 4]
  add r9, r8
  jmp r9
1:
  lea rax, [rdi + 1]
  ret
2:
  lea rax, [rdi + 2]
  ret
DONE table
  .section .rodata
  .p2align 2
corpus_plain_table:
  .long 1b - corpus_plain_table, 2b - corpus_plain_table
  .text

/* The unlikely part stands elsewhere and comes back into the first bytes. */
CASE cold_part
  xor eax, eax
  nop
1:
  inc rax
  cmp rcx, 3
  ja corpus_cold_part.cold
  add rax, rdi
  ret
DONE cold_part
  .section .text.unlikely, "ax", @progbits
  .type corpus_cold_part.cold, @function
corpus_cold_part.cold:
  .cfi_startproc
  dec rcx
  jmp 1b
  .cfi_endproc
  .size corpus_cold_part.cold, . - corpus_cold_part.cold
  .text

/* Functions of one to five bytes. */
CASE tiny_ret
  ret
DONE tiny_ret

CASE tiny_repeated_ret
  .byte 0xf3, 0xc3
DONE tiny_repeated_ret

CASE tiny_bound_ret
  .byte 0xf2, 0xc3
DONE tiny_bound_ret

CASE tiny_zero
  xor eax, eax
  ret
DONE tiny_zero

CASE tiny_copy
  mov rax, rdi
  ret
DONE tiny_copy

CASE tiny_endbr
  endbr64
  ret
DONE tiny_endbr

CASE tiny_five
  lea rax, [rdi + 4]
  ret
DONE tiny_five

/* Another function begins inside the first five bytes: the first falls through into it. It is called, too. */
CASE two_entries
  inc edi
  nop
DONE two_entries
  .globl corpus_two_entries_second
  .hidden corpus_two_entries_second
  .type corpus_two_entries_second, @function
corpus_two_entries_second:
  .cfi_startproc
  lea rax, [rdi + rsi]
  add rax, rcx
  ret
  .cfi_endproc
  .size corpus_two_entries_second, . - corpus_two_entries_second

/* One function jumps over a jump's length into the next. */
CASE jumped_into
  mov rax, rdi
corpus_jumped_into_inside:
  add rax, 5
  ret
DONE jumped_into

CASE jumps_back
  lea rax, [rdi + 100]
  jmp corpus_jumped_into_inside
DONE jumps_back
#endif
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
