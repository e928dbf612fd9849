/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_targets.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdlib.h>

static int by_address(const void *left, const void *right) {
  uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
  return a < b ? -1 : a > b;
}

size_t hook_exports(const char *library, size_t smallest, const void **functions, size_t capacity) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  struct link_map *map = NULL;
  if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
    return 0;
  const ElfW(Sym) *symbols = NULL;
  const uint32_t *hash = NULL;
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_SYMTAB)
      symbols = (const void *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_GNU_HASH)
      hash = (const void *)entry->d_un.d_ptr;
  }
  if (symbols == NULL || hash == NULL)
    return 0;
  /* Exported symbols are those of the hash table, from hash[1] on; the last of a chain has bit 0 set. */
  const uint32_t *buckets = hash + 4 + hash[2] * 2, *chains = buckets + hash[0];
  uint32_t last = hash[1];
  for (uint32_t i = 0; i < hash[0]; i++)
    last = buckets[i] > last ? buckets[i] : last;
  while ((chains[last - hash[1]] & 1) == 0)
    last++;
  size_t count = 0;
  const void **all = malloc((last + 1) * sizeof *all);
  if (all == NULL)
    return 0;
  for (uint32_t i = hash[1]; i <= last; i++)
    if (ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC && symbols[i].st_size >= smallest)
      all[count++] = (const void *)(map->l_addr + symbols[i].st_value);
  qsort(all, count, sizeof *all, by_address);
  size_t unique = 0;
  for (size_t i = 0; i < count && unique < capacity; i++)
    if (i == 0 || all[i] != all[i - 1])
      functions[unique++] = all[i];
  free(all);
  return unique;
}
