/* SPDX-License-Identifier: Apache-2.0
 * Functions that have no room for a long jump: a short one or a breakpoint must do, or nothing can. */
#if defined(__x86_64__) && defined(__linux__)
#include "macros.h"

/* Begins right behind the case before it, without padding. */
.macro NEXT name
  .globl corpus_\name
  .hidden corpus_\name
  .type corpus_\name, @function
corpus_\name:
  .cfi_startproc
.endm

  .text

/* Functions of two to four bytes, and another one right behind each. */
CASE two_before_other
  nop
  ret
DONE two_before_other
NEXT behind_two
  lea rax, [rdi + 2]
  ret
DONE behind_two

CASE three_before_other
  mov eax, edi
  ret
DONE three_before_other
NEXT behind_three
  lea rax, [rdi + 3]
  ret
DONE behind_three

CASE four_before_other
  mov rax, rdi
  ret
DONE four_before_other
NEXT behind_four
  lea rax, [rdi + 4]
  ret
DONE behind_four

/* With a landing pad: five bytes, one of which is the function's. */
CASE pad_before_other
  endbr64
  ret
DONE pad_before_other
NEXT behind_pad
  lea rax, [rdi + 5]
  ret
DONE behind_pad

/* A table leads back behind the first instruction. */
CASE table_to_third_byte
  xor eax, eax
1:
  inc rax
  lea r8, [rip + corpus_third_table]
  movsxd r9, dword ptr [r8 + rcx * 4]
  add r9, r8
  jmp r9
2:
  dec rcx
  jmp 1b
3:
  add rax, rdi
  ret
DONE table_to_third_byte
  .section .rodata
  .p2align 2
corpus_third_table:
  .long 3b - corpus_third_table, 2b - corpus_third_table, 2b - corpus_third_table, 2b - corpus_third_table
  .long 2b - corpus_third_table, 2b - corpus_third_table, 2b - corpus_third_table, 2b - corpus_third_table
  .text

/* Would be copied, and makes a call: threads may be inside of it. */
CASE back_and_call
  mov rax, rdi
1:
  push rcx
  call corpus_tier_leaf
  pop rcx
  dec rcx
  jns 1b
  ret
DONE back_and_call
CASE tier_leaf
  add rax, 3
  ret
DONE tier_leaf

/* One byte, and another function right behind it. */
CASE one_before_other
  ret
DONE one_before_other
NEXT behind_one
  lea rax, [rdi + 1]
  ret
DONE behind_one

/* A neighbour jumps to the second byte. */
CASE second_byte
  nop
corpus_second_byte_inside:
  lea rax, [rdi + 5]
  ret
DONE second_byte
CASE jumps_to_second_byte
  lea rdi, [rdi + rdi]
  jmp corpus_second_byte_inside
DONE jumps_to_second_byte

/* The unlikely part comes back to the second byte. */
CASE cold_to_second_byte
  cld
1:
  lea rax, [rdi + rcx]
  cmp rcx, 3
  ja corpus_cold_to_second_byte.cold
  ret
DONE cold_to_second_byte
  .section .text.unlikely, "ax", @progbits
  .type corpus_cold_to_second_byte.cold, @function
corpus_cold_to_second_byte.cold:
  .cfi_startproc
  dec rcx
  jmp 1b
  .cfi_endproc
  .size corpus_cold_to_second_byte.cold, . - corpus_cold_to_second_byte.cold
  .text

/* Goes back to its first instruction, by a part that a table leads to: no place is left. */
CASE table_to_entry
  inc rdi
  lea r8, [rip + corpus_entry_table]
  movsxd r9, dword ptr [r8 + rcx * 4]
  add r9, r8
  jmp r9
2:
  dec rcx
  jmp corpus_table_to_entry
3:
  mov rax, rdi
  ret
DONE table_to_entry
  .section .rodata
  .p2align 2
corpus_entry_table:
  .long 3b - corpus_entry_table, 2b - corpus_entry_table, 2b - corpus_entry_table, 2b - corpus_entry_table
  .long 2b - corpus_entry_table, 2b - corpus_entry_table, 2b - corpus_entry_table, 2b - corpus_entry_table
  .text
#endif
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
