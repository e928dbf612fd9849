/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
  .text
  .intel_syntax noprefix

.macro BEGIN name
  .globl \name
  .type \name, @function
  .p2align 4
\name:
  .cfi_startproc
.endm
.macro END name
  .cfi_endproc
  .size \name, . - \name
.endm

BEGIN fixture_require_alignment
  movaps [rsp - 24], xmm0
  ret
END fixture_require_alignment

BEGIN fixture_dirty_vectors
  .irp index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pcmpeqd xmm\index, xmm\index
  .endr
  mov r8, rbx
  mov eax, 1
  cpuid
  mov rbx, r8
  bt ecx, 28
  jnc 1f
  .irp index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vcmptrueps ymm\index, ymm\index, ymm\index
  .endr
1:
  ret
END fixture_dirty_vectors

BEGIN fixture_ymm_sum
  mov r8, rbx
  mov eax, 1
  cpuid
  mov rbx, r8
  bt ecx, 28
  jnc 1f
  sub rsp, 8
  .cfi_adjust_cfa_offset 8
  vmovups ymm0, [rdi]
  call fixture_ymm_callee
  add rsp, 8
  .cfi_adjust_cfa_offset -8
  vzeroupper
  ret
1:
  mov eax, -1
  ret
END fixture_ymm_sum

/* Adds the eight numbers of ymm0. */
BEGIN fixture_ymm_callee
  vextractf128 xmm1, ymm0, 1
  vpaddd xmm0, xmm0, xmm1
  vpshufd xmm1, xmm0, 0x4e
  vpaddd xmm0, xmm0, xmm1
  vpshufd xmm1, xmm0, 0xb1
  vpaddd xmm0, xmm0, xmm1
  vmovd eax, xmm0
  ret
END fixture_ymm_callee

.macro DIRTY_CALLEE name, scale
BEGIN \name
  lea eax, [rdi + rsi * \scale]
  mov rcx, -1
  mov rdx, -1
  mov rsi, -1
  mov rdi, -1
  mov r8, -1
  mov r9, -1
  mov r10, -1
  mov r11, -1
  ret
END \name
.endm
DIRTY_CALLEE fixture_callee, 1
DIRTY_CALLEE fixture_other_callee, 2

/* The frame of OSKext::start; target in rdi, arguments in rsi and rdx, *zero in rcx, *sign in r8. */
.macro SHAPE name, copy, followers:vararg
BEGIN \name
  push rbp
  .cfi_def_cfa_offset 16
  .cfi_offset rbp, -16
  mov rbp, rsp
  .cfi_def_cfa_register rbp
  push r15
  push r14
  push r13
  push r12
  push rbx
  .cfi_offset r15, -24
  .cfi_offset r14, -32
  .cfi_offset r13, -40
  .cfi_offset r12, -48
  .cfi_offset rbx, -56
  sub rsp, 0x28
  mov [rbp - 0x50], rdi
  mov [rbp - 0x38], rdi
  mov [rbp - 0x30], rcx
  mov [rbp - 0x48], r8
  mov rbx, rdi
  mov rdi, rsi
  mov rsi, rdx
  mov r12d, 0x1212
  mov r13d, 0x1313
  mov r15d, 0x1515
  .p2align 3
\name\()_site:
  .globl \name\()_site
  .byte \followers
  sete cl
  sets dl
  movzx ecx, cl
  movzx edx, dl
  mov eax, \copy
  mov rsi, [rbp - 0x30]
  mov [rsi], ecx
  mov rsi, [rbp - 0x48]
  mov [rsi], edx
  cmp r12d, 0x1212
  jne 1f
  cmp r13d, 0x1313
  jne 1f
  cmp r15d, 0x1515
  jne 1f
  jmp 2f
1:
  mov eax, 0x7fffffff
2:
  add rsp, 0x28
  pop rbx
  pop r12
  pop r13
  pop r14
  pop r15
  pop rbp
  .cfi_def_cfa rsp, 8
  ret
END \name
.endm
SHAPE fixture_call_rbx, ebx, 0xff, 0xd3, 0x89, 0xc3, 0x85, 0xdb
SHAPE fixture_call_rbp50, ebx, 0xff, 0x55, 0xb0, 0x89, 0xc3, 0x85, 0xdb
SHAPE fixture_call_rbp38, r14d, 0xff, 0x55, 0xc8, 0x41, 0x89, 0xc6, 0x45, 0x85, 0xf6

.macro SITE name, setup, call:vararg
BEGIN \name
  sub rsp, 24
  .cfi_adjust_cfa_offset 24
  \setup
  .globl \name\()_site
\name\()_site:
  \call
  add rsp, 24
  .cfi_adjust_cfa_offset -24
  ret
END \name
.endm
.macro NO_SETUP
.endm
.macro LOAD_R11
  lea r11, [rip + fixture_callee]
.endm
.macro LOAD_STACK
  lea rax, [rip + fixture_callee]
  mov [rsp + 8], rax
.endm
SITE fixture_call_memory, NO_SETUP, call [rip + callee_pointer]
SITE fixture_call_direct, NO_SETUP, call fixture_callee
SITE fixture_call_r11, LOAD_R11, call r11
SITE fixture_call_stack, LOAD_STACK, call [rsp + 8]

BEGIN fixture_call_indexed
  push r12
  .cfi_adjust_cfa_offset 8
  .cfi_offset r12, -16
  lea r12, [rip + callee_pointer - 24]
  mov ecx, 3
  .globl fixture_call_indexed_site
fixture_call_indexed_site:
  call [r12 + rcx * 8]
  pop r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore r12
  ret
END fixture_call_indexed

/* For tests with threads, which have functions of their own. */
BEGIN fixture_live_endbr
  endbr64
  lea rax, [rdi + 1]
  nop
  ret
END fixture_live_endbr

BEGIN fixture_live_short_jcc
  test rdi, rdi
  jz 1f
  mov rax, rdi
  ret
1:
  mov eax, 7
  ret
END fixture_live_short_jcc

BEGIN fixture_live_loop_back
  mov rax, rdi
1:
  dec rdi
  jnz 1b
  ret
END fixture_live_loop_back

BEGIN fixture_watched_loop
  mov rax, rdi
1:
  dec rdi
  jnz 1b
  ret
END fixture_watched_loop

BEGIN fixture_endbr
  endbr64
  lea rax, [rdi + 1]
  nop
  ret
END fixture_endbr

BEGIN fixture_rip_load
  mov rax, [rip + thousand]
  add rax, rdi
  ret
END fixture_rip_load

BEGIN fixture_short_jcc
  test rdi, rdi
  jz 1f
  mov rax, rdi
  ret
1:
  mov eax, 7
  ret
END fixture_short_jcc

BEGIN fixture_short_jmp
  lea rax, [rdi + rdi]
  jmp 1f
  .byte 0x90, 0x90, 0x90, 0x90
1:
  ret
END fixture_short_jmp

BEGIN fixture_near_call
  call 9f
  add rax, rdi
  ret
9:
  mov eax, 5
  ret
END fixture_near_call

BEGIN fixture_jrcxz
  jrcxz 1f
  mov eax, 2
  ret
1:
  mov eax, 1
  ret
END fixture_jrcxz

BEGIN fixture_big_immediate
  movabs rax, 0x1122334455667788
  add rax, rdi
  ret
END fixture_big_immediate

BEGIN fixture_loop_back
  mov rax, rdi
1:
  dec rdi
  jnz 1b
  ret
END fixture_loop_back

BEGIN fixture_loop_entry
1:
  dec rdi
  nop
  nop
  jnz 1b
  mov eax, 3
  ret
END fixture_loop_entry

BEGIN fixture_jumps_into_next
  lea rax, [rdi + 100]
  jmp fixture_jumped_into_inside
END fixture_jumps_into_next

BEGIN fixture_between
  ret
END fixture_between

BEGIN fixture_jumped_into
  mov rax, rdi
fixture_jumped_into_inside:
  add rax, 5
  ret
END fixture_jumped_into

BEGIN fixture_jumps_into_second_byte
  add rdi, 100
  jmp fixture_jumped_into_early_inside
END fixture_jumps_into_second_byte

BEGIN fixture_jumped_into_early
  nop
fixture_jumped_into_early_inside:
  lea rax, [rdi + 5]
  ret
END fixture_jumped_into_early

BEGIN fixture_tiny
  ret
END fixture_tiny

BEGIN fixture_tiny_before_data
  ret
END fixture_tiny_before_data
  .byte 0x90, 0x06, 0x06, 0x06

BEGIN fixture_call_next
  call 1f
1:
  pop rax
  ret
END fixture_call_next

  .globl fixture_without_cfi
  .type fixture_without_cfi, @function
  .p2align 4
fixture_without_cfi:
  lea rax, [rdi + 9]
  nop
  ret
  .globl fixture_without_cfi_end
fixture_without_cfi_end:
  .size fixture_without_cfi, . - fixture_without_cfi

BEGIN fixture_xbegin
  xbegin 1f
1:
  ret
END fixture_xbegin

BEGIN fixture_call_joined
  push rbx
  .cfi_adjust_cfa_offset 8
  .cfi_offset rbx, -16
  xor eax, eax
  test esi, esi
  jnz 1f
  mov rbx, rdi
  .globl fixture_call_joined_site
fixture_call_joined_site:
  call rbx
1:
  mov ebx, eax
  test ebx, ebx
  mov eax, ebx
  pop rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbx
  ret
END fixture_call_joined

  .section .rodata
  .p2align 3
thousand:
  .quad 1000
  .section .data.rel.ro, "aw"
  .p2align 3
callee_pointer:
  .quad fixture_callee
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
