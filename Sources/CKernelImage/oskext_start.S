/* SPDX-License-Identifier: Apache-2.0
 * OSKext::start: the prologue, the call of the kext's start routine and the epilogue of XNU kernels, byte for byte.
 *
 *   int OSKext_start(OSKext *self, bool startDependencies)
 *
 * Kernels differ in where the kmod_info pointer lies in an OSKext (0x48, from 10.15 on 0x50), and in what the compiler
 * made of `result = startfunc(kmod_info, kmodStartData); if (result) ...`:
 *
 *   rbx     ffd3    89c3 85db       call *%rbx;         mov %eax, %ebx; test %ebx, %ebx
 *   rbp50   ff55b0  89c3 85db       call *-0x50(%rbp);  mov %eax, %ebx; test %ebx, %ebx
 *   rbp38   ff55c8  4189c6          call *-0x38(%rbp);  mov %eax, %r14d
 */
#include "kernel_image.h"

#if defined(__x86_64__) && defined(__ELF__)

.macro OSKEXT_START shape, kmod
  .text
  .type OSKext_start_\shape\()_\kmod, @function
  .p2align 4
OSKext_start_\shape\()_\kmod:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %r15
  pushq %r14
  pushq %r13
  pushq %r12
  pushq %rbx
  .cfi_offset %r15, -24
  .cfi_offset %r14, -32
  .cfi_offset %r13, -40
  .cfi_offset %r12, -48
  .cfi_offset %rbx, -56
  subq $0x28, %rsp
  movl %esi, %r14d
  movq %rdi, %r15
  movq (%r15), %rax
  callq *KERNEL_IMAGE_METHOD_PREPARE(%rax)
  testl %eax, %eax
  jne 2f
  movq 0x\kmod\()(%r15), %rax
  movq KERNEL_IMAGE_KMOD_START(%rax), %rbx
  movq %rbx, -0x50(%rbp)
  movq %rbx, -0x38(%rbp)
  movq KERNEL_IMAGE_OSKEXT_DATA(%r15), %rax
  movq %rax, -0x40(%rbp)

  movq -0x40(%rbp), %r12
  movq 0x\kmod\()(%r15), %rdi
  movq %r12, %rsi
  .ifc \shape, rbx
    callq *%rbx
    movl %eax, %ebx
    testl %ebx, %ebx
  .endif
  .ifc \shape, rbp50
    callq *-0x50(%rbp)
    movl %eax, %ebx
    testl %ebx, %ebx
  .endif
  .ifc \shape, rbp38
    callq *-0x38(%rbp)
    movl %eax, %r14d
    movl %r14d, %ebx
    testl %r14d, %r14d
  .endif
  jne 1f
  movb $1, KERNEL_IMAGE_OSKEXT_STARTED(%r15)
  xorl %eax, %eax
  jmp 2f
1:
  movq (%r15), %rax
  movq %r15, %rdi
  movl %ebx, %esi
  callq *KERNEL_IMAGE_METHOD_START_FAILED(%rax)
2:
  addq $0x28, %rsp
  popq %rbx
  popq %r12
  popq %r13
  popq %r14
  popq %r15
  popq %rbp
  .cfi_def_cfa %rsp, 8
  retq
  .cfi_endproc
  .size OSKext_start_\shape\()_\kmod, . - OSKext_start_\shape\()_\kmod
9:
  /* Its row of the registry. */
  .section .rodata.str1.1, "aMS", @progbits, 1
8:
  .asciz "OSKext_start_\shape\()_\kmod"
  .section KERNEL_IMAGE_REGISTRY, "awR", @progbits
  .p2align 3
  .quad 8b
  .quad OSKext_start_\shape\()_\kmod
  .quad 9b - OSKext_start_\shape\()_\kmod
  .quad 0
.endm

OSKEXT_START rbx, 48
OSKEXT_START rbp50, 48
OSKEXT_START rbp38, 48
OSKEXT_START rbx, 50
OSKEXT_START rbp50, 50
OSKEXT_START rbp38, 50
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
