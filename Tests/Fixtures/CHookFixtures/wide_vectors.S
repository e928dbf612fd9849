/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
  .text
  .intel_syntax noprefix

  .globl fixture_zmm_sum
  .type fixture_zmm_sum, @function
  .p2align 4
fixture_zmm_sum:
  .cfi_startproc
  sub rsp, 8
  .cfi_adjust_cfa_offset 8
  vmovups zmm0, [rdi]
  call fixture_zmm_callee
  add rsp, 8
  .cfi_adjust_cfa_offset -8
  vzeroupper
  ret
  .cfi_endproc
  .size fixture_zmm_sum, . - fixture_zmm_sum

/* Adds the sixteen numbers of zmm0, and returns the vector as well. */
  .globl fixture_zmm_callee
  .type fixture_zmm_callee, @function
  .p2align 4
fixture_zmm_callee:
  .cfi_startproc
  vextracti64x4 ymm1, zmm0, 1
  vpaddd ymm1, ymm0, ymm1
  vextracti128 xmm2, ymm1, 1
  vpaddd xmm1, xmm1, xmm2
  vpshufd xmm2, xmm1, 0x4e
  vpaddd xmm1, xmm1, xmm2
  vpshufd xmm2, xmm1, 0xb1
  vpaddd xmm1, xmm1, xmm2
  vmovd eax, xmm1
  ret
  .cfi_endproc
  .size fixture_zmm_callee, . - fixture_zmm_callee
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
