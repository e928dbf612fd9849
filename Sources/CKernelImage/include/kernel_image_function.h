/* SPDX-License-Identifier: Apache-2.0
 * How a function of the kernel is written, so that it is in the registry and can be hooked:
 *
 *   KERNEL_FUNCTION(int32_t, vn_open_auth, (struct nameidata *ndp, int32_t *flags)) {
 *     ...
 *   }
 *
 * A family keeps its functions in a file of its own and declares them in a header of its own; nothing else needs to know
 * of them. Half of them are patchable, so that hooks meet both kinds of code:
 *
 *   KERNEL_FUNCTION            plain code of the compiler: a hook moves its first instructions
 *   KERNEL_FUNCTION_PATCHABLE  begins with a five-byte nop, as functions that ftrace knows: that is all a hook moves */
#ifndef KERNEL_IMAGE_FUNCTION_H
#define KERNEL_IMAGE_FUNCTION_H

#include "kernel_image.h"

#define KERNEL_FUNCTION(result, name, parameters) KERNEL_FUNCTION_AS(, 0, result, name, parameters)

#if defined(__x86_64__)
#define KERNEL_FUNCTION_PATCHABLE(result, name, parameters)                                                           \
  KERNEL_FUNCTION_AS(__attribute__((patchable_function_entry(5, 0))), 1, result, name, parameters)
#else
#define KERNEL_FUNCTION_PATCHABLE(result, name, parameters) KERNEL_FUNCTION(result, name, parameters)
#endif

/* Weak, so that no caller is compiled with what the body does: a hook may do, and return, something else. */
#define KERNEL_FUNCTION_AS(entry, is_patchable, result, name, parameters)                                              \
  __attribute__((noinline, weak)) entry result name parameters;                                                        \
  KERNEL_FUNCTION_ROW(name, is_patchable);                                                                             \
  result name parameters

/* A row of the registry. Not static, so that the linker refuses two functions of one name. */
#if defined(__ELF__)
#define KERNEL_FUNCTION_ROW(name, is_patchable)                                                                        \
  __attribute__((section(KERNEL_IMAGE_REGISTRY), used, retain, aligned(8)))                                                    \
  const kernel_image_function kernel_image_row_##name = {#name, (const void *)name, 0, is_patchable}
#else
#define KERNEL_FUNCTION_ROW(name, is_patchable) _Static_assert(1, "no registry")
#endif

#endif
