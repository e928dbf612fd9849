/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "kernel_mac.h"
#include <dlfcn.h>

const char *kernel_mac_library(const void *address, uint64_t *offset) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  *offset = (uint64_t)((uintptr_t)address - (uintptr_t)info.dli_fbase);
  return info.dli_fname;
}
