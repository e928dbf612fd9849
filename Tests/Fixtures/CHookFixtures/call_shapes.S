/* SPDX-License-Identifier: Apache-2.0
 * The functions and the table of call_shapes.h. */
#if defined(__x86_64__)
  .text
  .intel_syntax noprefix

.macro PUSH register
  push \register
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset \register, 0
.endm
.macro POP register
  pop \register
  .cfi_adjust_cfa_offset -8
  .cfi_restore \register
.endm

/* A function up to its call; 0x88 bytes of the stack are its own. */
.macro SHAPE name
  .type shape_\name, @function
  .p2align 4
shape_\name:
  .cfi_startproc
  PUSH rbx
  PUSH rbp
  PUSH r12
  PUSH r13
  PUSH r14
  PUSH r15
  sub rsp, 0x88
  .cfi_adjust_cfa_offset 0x88
.endm

/* The call itself, and the rest of the function. What follows the call is replaced with it when that is short. */
.macro SITE name, call:vararg
8:
  \call
  add eax, eax
  mov edx, eax
  add rsp, 0x88
  .cfi_adjust_cfa_offset -0x88
  POP r15
  POP r14
  POP r13
  POP r12
  POP rbp
  POP rbx
  ret
  .cfi_endproc
  .size shape_\name, . - shape_\name
  ROW \name, 0
.endm

.macro ROW name, is_no_call
  .section .rodata.str1.1, "aMS", @progbits, 1
9:
  .asciz "\name"
  .section .data.rel.ro.call_shapes, "aw", @progbits
  .quad 9b
  .quad shape_\name
  .quad 8b
  .quad \is_no_call
  .text
.endm

/* Something else than a near call. */
.macro NO_CALL name, bytes:vararg
  SHAPE \name
8:
  .byte \bytes
  nop
  nop
  nop
  nop
  ud2
  .cfi_endproc
  .size shape_\name, . - shape_\name
  ROW \name, 1
.endm

/* bnd call fixture_callee, which some assemblers do not know. */
.macro BOUND_CALL
  .byte 0xf2
  call fixture_callee
.endm

/* call [rip + fixture_callee@GOTPCREL] in bytes: linkers would make a direct call of the instruction. */
.macro GOT_CALL
  .byte 0xff, 0x15
  .long fixture_callee@GOTPCREL - 4
.endm

  .section .data.rel.ro.call_shapes, "aw", @progbits
  .p2align 3
first:
  .text

/* Direct: 5 bytes, and longer with prefixes that mean nothing. */
SHAPE direct
SITE direct, call fixture_callee
SHAPE direct_watched            /* for the suite that watches mappings */
SITE direct_watched, call fixture_callee
SHAPE direct_relaxed            /* what linkers make of a call through the GOT */
SITE direct_relaxed, addr32 call fixture_callee
SHAPE direct_padded             /* what compilers pad calls with */
SITE direct_padded, cs call fixture_callee
SHAPE direct_bound
SITE direct_bound, BOUND_CALL

/* By a register. In an argument's register the callee's address is an argument, too. */
.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
  SHAPE \register
    lea \register, [rip + fixture_callee]
  SITE \register, call \register
.endr
SHAPE notrack
  lea rax, [rip + fixture_callee]
SITE notrack, notrack call rax

/* By memory: every base with no displacement, a short one and a long one. rsp and r12 need a SIB byte, rbp and r13 a
 * displacement. */
.irp register, rax, rbx, rcx, rdx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
  SHAPE memory_\register
    lea \register, [rip + pointer]
  SITE memory_\register, call [\register]
  SHAPE memory_\register\()_short
    lea \register, [rip + pointer - 0x50]
  SITE memory_\register\()_short, call [\register + 0x50]
  SHAPE memory_\register\()_long
    lea \register, [rip + pointer + 0x12345]
  SITE memory_\register\()_long, call [\register - 0x12345]
.endr

/* On the stack. */
.macro STACKED offset
  lea rax, [rip + fixture_callee]
  mov [rsp + \offset], rax
.endm
SHAPE stack
  STACKED 0
SITE stack, call [rsp]
SHAPE stack_short
  STACKED 8
SITE stack_short, call [rsp + 8]
SHAPE stack_long
  STACKED 0x80
SITE stack_long, {disp32} call [rsp + 0x80]
SHAPE stack_indexed
  STACKED 0x20
  mov ecx, 4
SITE stack_indexed, call [rsp + rcx * 8]

/* In a table: by base and index, by an index alone. */
SHAPE table
  lea rax, [rip + pointer - 24]
  mov ecx, 3
SITE table, call [rax + rcx * 8]
SHAPE table_high
  lea r12, [rip + pointer - 24]
  mov r13d, 3
SITE table_high, call [r12 + r13 * 8 + 0]
SHAPE table_displaced
  lea r13, [rip + pointer - 0x1008]
  mov r9d, 1
SITE table_displaced, call [r13 + r9 * 8 + 0x1000]
SHAPE table_index
  lea rcx, [rip + pointer]
  shr rcx, 3
SITE table_index, call [rcx * 8]

/* Relative to the instruction: a variable of this object, and the entry that the dynamic linker fills. */
SHAPE relative
SITE relative, call [rip + pointer]
SHAPE relative_got
SITE relative_got, GOT_CALL

/* Relative to the thread. */
SHAPE thread
  mov rcx, fs:0
  lea rax, [rip + pointer]
  sub rax, rcx
SITE thread, call fs:[rax]

/* A conditional jump right behind the call, and the one that is taken. */
SHAPE then_jump
  lea rbx, [rip + fixture_callee]
8:
  call rbx
  test eax, eax
  js 1f
  add eax, eax
1:
  add rsp, 0x88
  .cfi_adjust_cfa_offset -0x88
  POP r15
  POP r14
  POP r13
  POP r12
  POP rbp
  POP rbx
  ret
  .cfi_endproc
  .size shape_then_jump, . - shape_then_jump
  ROW then_jump, 0

NO_CALL far, 0xff, 0x18           /* lcall [rax] */
NO_CALL narrow, 0x66, 0xff, 0xd0  /* callw ax */
NO_CALL next, 0xe8, 0, 0, 0, 0    /* call the next instruction: it reads its own address */
NO_CALL jump, 0xff, 0xe0          /* jmp rax */
NO_CALL push, 0xff, 0x30          /* push [rax] */
NO_CALL return, 0xc3

  .section .data.rel.ro, "aw", @progbits
  .p2align 3
pointer:
  .quad fixture_callee

  .section .data.rel.ro.call_shapes, "aw", @progbits
last:
  .text
  .globl call_shapes
  .hidden call_shapes
  .type call_shapes, @function
call_shapes:
  .cfi_startproc
  lea rax, [rip + first]
  lea rcx, [rip + last]
  sub rcx, rax
  sar rcx, 5
  mov [rdi], rcx
  ret
  .cfi_endproc
  .size call_shapes, . - call_shapes
#endif

#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", @progbits
#endif
