/* SPDX-License-Identifier: Apache-2.0
 * A case is a function whose beginning is hard to move or to patch. */
  .intel_syntax noprefix

.macro CASE name
  .globl corpus_\name
  .hidden corpus_\name
  .type corpus_\name, @function
  .p2align 4
corpus_\name:
  .cfi_startproc
.endm
.macro DONE name
  .cfi_endproc
  .size corpus_\name, . - corpus_\name
.endm
