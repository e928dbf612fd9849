/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_image.h"

_Static_assert(sizeof(kernel_image_function) == 32, "oskext_start.S writes rows of 32 bytes");

#if defined(__ELF__)
/* The linker's names for the ends of the section. */
#define HIDDEN __attribute__((visibility("hidden")))
extern const kernel_image_function __start_kernel_image_functions[] HIDDEN, __stop_kernel_image_functions[] HIDDEN;

const kernel_image_function *kernel_image_functions(size_t *count) {
  *count = (size_t)(__stop_kernel_image_functions - __start_kernel_image_functions);
  return __start_kernel_image_functions;
}
#else
const kernel_image_function *kernel_image_functions(size_t *count) {
  static const kernel_image_function none = {"", NULL, 0, 0};
  *count = 0;
  return &none;
}
#endif
