/* SPDX-License-Identifier: Apache-2.0
 * The extent of a function from its frame description entry: the unwinder finds the entry, its range is read here. */
#define _GNU_SOURCE
#include "ckemon_text.h"
#include <dlfcn.h>
#include <link.h>
#include <string.h>

struct dwarf_eh_bases {
  void *tbase, *dbase, *func;
};

/* Exported by libgcc_s and by LLVM's libunwind, declared in no header. */
extern const unsigned char *_Unwind_Find_FDE(const void *pc, struct dwarf_eh_bases *bases) __attribute__((weak));

static const unsigned char *skip_leb(const unsigned char *p) {
  while (*p++ & 0x80)
    ;
  return p;
}

/* Bytes of a pointer in this DW_EH_PE encoding; 0 when it has no fixed size. */
static size_t width_of(unsigned char encoding) {
  switch (encoding & 0x0f) {
  case 0x00: /* absptr */
  case 0x04: /* udata8 */
  case 0x0c: /* sdata8 */
    return 8;
  case 0x03: /* udata4 */
  case 0x0b: /* sdata4 */
    return 4;
  case 0x02: /* udata2 */
  case 0x0a: /* sdata2 */
    return 2;
  default:
    return 0;
  }
}

/* The encoding of pointers in the entries of this CIE; 0xff when it cannot be read. */
static unsigned char fde_encoding(const unsigned char *cie) {
  unsigned char version = cie[8];
  const char *augmentation = (const char *)cie + 9;
  if (augmentation[0] == 0)
    return 0; /* absolute pointers */
  if (augmentation[0] != 'z' || (version != 1 && version != 3))
    return 0xff;
  const unsigned char *p = cie + 9 + strlen(augmentation) + 1;
  p = skip_leb(p);                              /* code alignment */
  p = skip_leb(p);                              /* data alignment */
  p = version == 1 ? p + 1 : skip_leb(p);       /* return address register */
  p = skip_leb(p);                              /* length of the augmentation data */
  for (const char *letter = augmentation + 1; *letter != 0; letter++) {
    if (*letter == 'R')
      return *p;
    if (*letter == 'L')
      p += 1;
    else if (*letter == 'P' && width_of(*p) != 0)
      p += 1 + width_of(*p);
    else if (*letter != 'S' && *letter != 'B')
      return 0xff;
  }
  return 0;
}

/* Reads a frame description entry of a function that begins at `begin`; 0 when it cannot be read. */
static uint64_t size_in(const unsigned char *fde) {
  uint32_t length;
  int32_t cie_delta;
  memcpy(&length, fde, 4);
  memcpy(&cie_delta, fde + 4, 4);
  if (length == 0xffffffffu)
    return 0; /* 64-bit DWARF does not occur in .eh_frame of x86-64 */
  unsigned char encoding = fde_encoding(fde + 4 - cie_delta);
  size_t width = encoding == 0xff ? 0 : width_of(encoding);
  uint64_t range = 0;
  if (width != 0)
    memcpy(&range, fde + 8 + width, width);
  return range;
}

static int by_unwinder(uintptr_t at, uintptr_t *start, size_t *size) {
  struct dwarf_eh_bases bases = {0};
  if (_Unwind_Find_FDE == 0)
    return 0;
  const unsigned char *fde = _Unwind_Find_FDE((const void *)at, &bases);
  if (fde == NULL || bases.func == NULL)
    return 0;
  uintptr_t begin = (uintptr_t)bases.func;
  uint64_t range = size_in(fde);
  if (range == 0 || at < begin || at - begin >= range)
    return 0;
  *start = begin;
  *size = range;
  return 1;
}

#if defined(DLFO_EH_SEGMENT_TYPE)
extern int _dl_find_object(void *address, struct dl_find_object *result) __attribute__((weak));

int ckemon_function_table_find(const void *address, ckemon_function_table *table) {
  struct dl_find_object object;
  if (_dl_find_object == NULL || _dl_find_object((void *)(uintptr_t)address, &object) != 0 ||
      object.dlfo_eh_frame == NULL)
    return 0;
  const unsigned char *header = object.dlfo_eh_frame;
  /* Version 1; pointer to .eh_frame and number of rows in four bytes; rows relative to the header. */
  if (header[0] != 1 || (header[1] & 0x0f) != 0x0b || header[2] != 0x03 || header[3] != 0x3b)
    return 0;
  table->header = (uintptr_t)header;
  table->begin = (uintptr_t)object.dlfo_map_start;
  table->end = (uintptr_t)object.dlfo_map_end;
  memcpy(&table->count, header + 8, 4);
  return table->count != 0;
}

/* The rows: pairs of offsets from the header, of a function and of its entry. */
static const int32_t (*rows_of(const ckemon_function_table *table))[2] {
  return (const int32_t (*)[2])(table->header + 12);
}

int64_t ckemon_function_row(const ckemon_function_table *table, const void *address) {
  const int32_t(*rows)[2] = rows_of(table);
  intptr_t offset = (intptr_t)((uintptr_t)address - table->header);
  uint32_t low = 0, high = table->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (rows[middle][0] <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return (int64_t)low - 1;
}

int ckemon_function_at_row(const ckemon_function_table *table, int64_t row, uintptr_t *start, size_t *size) {
  if (row < 0 || row >= (int64_t)table->count)
    return 0;
  const int32_t *entry = rows_of(table)[row];
  *start = table->header + (uintptr_t)(intptr_t)entry[0];
  *size = size_in((const unsigned char *)table->header + entry[1]);
  return *size != 0;
}

int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size) {
  ckemon_function_table table;
  if (ckemon_function_table_find(pc, &table) &&
      ckemon_function_at_row(&table, ckemon_function_row(&table, pc), start, size) && (uintptr_t)pc - *start < *size)
    return 1;
  return by_unwinder((uintptr_t)pc, start, size);
}
#else
int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size) {
  return by_unwinder((uintptr_t)pc, start, size);
}

int ckemon_function_table_find(const void *address, ckemon_function_table *table) {
  (void)address, (void)table;
  return 0;
}

int64_t ckemon_function_row(const ckemon_function_table *table, const void *address) {
  (void)table, (void)address;
  return -1;
}

int ckemon_function_at_row(const ckemon_function_table *table, int64_t row, uintptr_t *start, size_t *size) {
  (void)table, (void)row, (void)start, (void)size;
  return 0;
}
#endif

const char *ckemon_object_name(const void *address) {
#if defined(DLFO_EH_SEGMENT_TYPE)
  struct dl_find_object object;
  if (_dl_find_object != NULL)
    return _dl_find_object((void *)(uintptr_t)address, &object) == 0 ? object.dlfo_link_map->l_name : NULL;
#endif
  Dl_info info;
  return dladdr(address, &info) == 0 ? NULL : info.dli_fname;
}

int ckemon_symbol_at(const void *address, size_t *size) {
  Dl_info info;
  const ElfW(Sym) *symbol = NULL;
  if (dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 || info.dli_saddr != address)
    return 0;
  *size = symbol == NULL ? 0 : symbol->st_size;
  return 1;
}

/* What an object says of its exported symbols. */
typedef struct symbols {
  const ElfW(Sym) *table;
  const uint32_t *hash;
  const char *names;
  uintptr_t base;
} symbols;

static int find_symbols(const void *address, symbols *symbols) {
  Dl_info info;
  struct link_map *map = NULL;
  if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL || map->l_ld == NULL)
    return 0;
  *symbols = (struct symbols){.base = map->l_addr};
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_SYMTAB)
      symbols->table = (const ElfW(Sym) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_GNU_HASH)
      symbols->hash = (const uint32_t *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRTAB)
      symbols->names = (const char *)entry->d_un.d_ptr;
  }
  return symbols->table != NULL && symbols->hash != NULL && symbols->names != NULL;
}

int64_t ckemon_symbols_between(const void *from, const void *to, const char **names, size_t capacity) {
  symbols symbols;
  if (!find_symbols(from, &symbols))
    return -1;
  int64_t count = 0;
  /* Buckets, first symbol, words of the filter, shift; the last of a chain has bit 0 set. */
  const uint32_t *hash = symbols.hash, *buckets = hash + 4 + hash[2] * (sizeof(ElfW(Addr)) / 4);
  const uint32_t *chains = buckets + hash[0];
  for (uint32_t bucket = 0; bucket < hash[0]; bucket++) {
    uint32_t index = buckets[bucket];
    if (index < hash[1])
      continue;
    do {
      const ElfW(Sym) *symbol = &symbols.table[index];
      uintptr_t value = symbols.base + symbol->st_value;
      if (value < (uintptr_t)from || value >= (uintptr_t)to)
        continue;
      if ((uint64_t)count < capacity)
        names[count] = symbols.names + symbol->st_name;
      count++;
    } while ((chains[index++ - hash[1]] & 1) == 0);
  }
  return count;
}
