/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_library.h"
#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

int ckemon_library_find(void *handle, uintptr_t *base, const char **path) {
  struct link_map *map = NULL;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == NULL || map->l_name[0] == 0)
    return 0;
  *base = map->l_addr;
  *path = map->l_name;
  return 1;
}
#else
int ckemon_library_find(void *handle, uintptr_t *base, const char **path) {
  (void)handle, (void)base, (void)path;
  return 0;
}
#endif
