/* SPDX-License-Identifier: Apache-2.0
 * Operands that count from the instruction pointer, odd prefixes, and encodings that decoders get wrong. */
#if defined(__x86_64__) && defined(__linux__)
#include "macros.h"
  .text

CASE endbr_frame
  endbr64
  push rbp
  .cfi_adjust_cfa_offset 8
  mov rbp, rsp
  lea rax, [rdi + rsi]
  pop rbp
  .cfi_adjust_cfa_offset -8
  ret
DONE endbr_frame

CASE endbr_rip
  endbr64
  mov rax, [rip + corpus_seventeen]
  add rax, rdi
  ret
DONE endbr_rip

CASE rip_load
  mov rax, [rip + corpus_seventeen]
  add rax, rdi
  ret
DONE rip_load

CASE rip_store
  mov [rip + corpus_cell], rdi
  mov rax, [rip + corpus_cell]
  ret
DONE rip_store

CASE rip_address
  lea rax, [rip + corpus_seventeen]
  mov rax, [rax]
  xor rax, rsi
  ret
DONE rip_address

/* An immediate stands behind the displacement. */
CASE rip_compare_byte
  cmp byte ptr [rip + corpus_seventeen], 17
  sete al
  movzx eax, al
  add rax, rdi
  ret
DONE rip_compare_byte

CASE rip_compare_long
  cmp dword ptr [rip + corpus_big], 0x12345678
  sete al
  movzx eax, al
  lea rax, [rax + rdi * 2]
  ret
DONE rip_compare_long

CASE rip_compare_word
  cmp word ptr [rip + corpus_big], 0x5678
  sete al
  movzx eax, al
  add rax, rsi
  ret
DONE rip_compare_word

CASE rip_store_long
  mov qword ptr [rip + corpus_cell], -559038737
  mov rax, [rip + corpus_cell]
  add rax, rdi
  ret
DONE rip_store_long

CASE rip_test_byte
  test byte ptr [rip + corpus_seventeen], 16
  setnz al
  movzx eax, al
  sub rax, rdi
  ret
DONE rip_test_byte

CASE rip_push
  push qword ptr [rip + corpus_seventeen]
  .cfi_adjust_cfa_offset 8
  pop rax
  .cfi_adjust_cfa_offset -8
  add rax, rdi
  ret
DONE rip_push

CASE rip_multiply
  imul rax, [rip + corpus_seventeen], 1000
  add rax, rdi
  ret
DONE rip_multiply

CASE rip_shift_double
  mov rax, rdi
  shld [rip + corpus_cell], rax, 7
  mov qword ptr [rip + corpus_cell], 0
  ret
DONE rip_shift_double

CASE rip_locked
  lock add qword ptr [rip + corpus_cell], 1
  lock sub qword ptr [rip + corpus_cell], 1
  lea rax, [rdi + rsi]
  ret
DONE rip_locked

CASE rip_double
  addsd xmm0, [rip + corpus_half]
  mulsd xmm0, xmm1
  ret
DONE rip_double

CASE rip_shuffle
  pshufd xmm0, [rip + corpus_vector], 0x1b
  paddd xmm0, xmm1
  ret
DONE rip_shuffle

CASE rip_x87
  fld qword ptr [rip + corpus_half]
  fadd st, st(0)
  fstp qword ptr [rdx]
  mov rax, [rdx]
  ret
DONE rip_x87

CASE rip_vex
  vaddsd xmm0, xmm0, [rip + corpus_half]
  ret
DONE rip_vex

CASE rip_vex_three
  vpshufb xmm0, xmm0, [rip + corpus_vector]
  ret
DONE rip_vex_three

CASE rip_vex_immediate
  vpshufd xmm0, [rip + corpus_vector], 0x4e
  vpaddd xmm0, xmm0, xmm1
  ret
DONE rip_vex_immediate

CASE rip_vex_blend
  vblendvps xmm0, xmm0, [rip + corpus_vector], xmm1
  ret
DONE rip_vex_blend

CASE vex_broadcast
  vbroadcasti128 ymm0, [rip + corpus_vector]
  vpaddq ymm0, ymm0, ymm1
  ret
DONE vex_broadcast

CASE vex_zeroupper
  vzeroupper
  lea rax, [rdi + rsi + 3]
  ret
DONE vex_zeroupper

CASE rip_evex
  vmovdqu64 xmm16, [rip + corpus_vector]
  vpaddq xmm17, xmm16, xmm0
  vmovdqa64 xmm0, xmm17
  ret
DONE rip_evex

CASE evex_broadcast
  vpaddq ymm0, ymm0, qword ptr [rip + corpus_seventeen]{1to4}
  ret
DONE evex_broadcast

CASE evex_ternary
  vpternlogd ymm0, ymm1, ymm2, 0x96
  vmovq rax, xmm0
  ret
DONE evex_ternary

CASE evex_test_mask
  vptestnmb k1, ymm0, ymm1
  kmovd eax, k1
  ret
DONE evex_test_mask

CASE evex_displacement
  vmovdqu64 ymm16, [rdx + 32]
  vpxorq ymm16, ymm16, ymm0
  vmovdqu64 [rdx], ymm16
  mov rax, [rdx + 8]
  ret
DONE evex_displacement

CASE mask_move
  kmovq k1, rdi
  kmovq k2, rsi
  kandq k1, k1, k2
  kmovq rax, k1
  ret
DONE mask_move

CASE word_immediate
  mov ax, 0x1234
  movzx eax, ax
  add rax, rdi
  ret
DONE word_immediate

CASE word_add
  .byte 0x66, 0x81, 0xc7, 0x34, 0x12 # add di, 0x1234 with the operand size prefix that changes its length
  movzx eax, di
  ret
DONE word_add

CASE address_32
  lea eax, [edi + esi]
  mov r8d, eax
  lea rax, [r8 + rdi]
  ret
DONE address_32

CASE segment
  mov rax, fs:[0]
  xor rax, fs:[0]
  add rax, rdi
  ret
DONE segment

/* A displacement without a base is not counted from the instruction pointer. */
CASE index_only
  lea rax, [rcx * 8 + 0x1234567]
  add rax, rdi
  ret
DONE index_only

CASE wide_constant
  movabs rax, 0x1122334455667788
  add rax, rdi
  ret
DONE wide_constant

/* Fifteen bytes: as long as an instruction may be. */
CASE longest
  .byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00
  lea rax, [rdi + 1]
  ret
DONE longest

CASE patchable
  .byte 0x90, 0x90, 0x90, 0x90, 0x90
  lea rax, [rdi + rsi * 4]
  ret
DONE patchable

CASE wide_nop
  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
  mov rax, rsi
  ret
DONE wide_nop

CASE locked_add
  lock xadd [rdx], rdi
  mov rax, rdi
  ret
DONE locked_add

CASE fill
  mov r8, rdi
  mov rdi, rdx
  movzx eax, sil
  rep stosb
  mov rax, r8
  ret
DONE fill

CASE flags
  pushfq
  .cfi_adjust_cfa_offset 8
  cmp rdi, rsi
  setg al
  movzx eax, al
  popfq
  .cfi_adjust_cfa_offset -8
  ret
DONE flags

/* Below the stack pointer, where a function without calls may keep what it likes. */
CASE red_zone
  mov [rsp - 8], rdi
  mov [rsp - 128], rsi
  mov rax, [rsp - 8]
  sub rax, [rsp - 128]
  ret
DONE red_zone

CASE red_zone_rip
  mov [rsp - 8], rdi
  mov rax, [rip + corpus_seventeen]
  add rax, [rsp - 8]
  ret
DONE red_zone_rip

CASE needless_rex
  .byte 0x40, 0x53 # push rbx
  .cfi_adjust_cfa_offset 8
  mov rbx, rdi
  lea rax, [rbx + rbx * 2]
  pop rbx
  .cfi_adjust_cfa_offset -8
  ret
DONE needless_rex

/* What is passed in other places than six integer registers. */
CASE stack_arguments
  mov rax, [rsp + 8]
  add rax, [rsp + 16]
  add rax, [rsp + 64]
  add rax, rdi
  ret
DONE stack_arguments

CASE vector_arguments
  addps xmm0, xmm1
  addps xmm2, xmm3
  addps xmm4, xmm5
  addps xmm6, xmm7
  addps xmm0, xmm2
  addps xmm4, xmm6
  addps xmm0, xmm4
  movq rax, xmm0
  ret
DONE vector_arguments

CASE wide_arguments
  vpaddd ymm0, ymm0, ymm1
  vpxor ymm0, ymm0, ymm7
  ret
DONE wide_arguments

CASE static_chain
  mov rax, r10
  add rax, rdi
  nop
  ret
DONE static_chain

CASE variadic_count
  test al, al
  je 1f
  movq rax, xmm0
  ret
1:
  mov rax, rdi
  ret
DONE variadic_count

CASE two_results
  mov rax, rsi
  mov rdx, rdi
  movaps xmm2, xmm0
  movaps xmm0, xmm1
  movaps xmm1, xmm2
  ret
DONE two_results

  .section .rodata
  .p2align 4
corpus_vector:
  .byte 3, 2, 1, 0, 7, 6, 5, 4, 0x8b, 10, 9, 8, 15, 14, 0x8d, 12
  .globl corpus_seventeen
  .hidden corpus_seventeen
corpus_seventeen:
  .quad 17
corpus_half:
  .double 0.5
corpus_big:
  .long 0x12345678
  .data
  .p2align 3
corpus_cell:
  .quad 0
#endif
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
