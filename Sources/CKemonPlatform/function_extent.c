/* SPDX-License-Identifier: Apache-2.0
 * The extent of a function from its frame description entry: the unwinder finds the entry, its range is read here. */
#include "ckemon_text.h"
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

int ckemon_function_extent(const void *pc, uintptr_t *start, size_t *size) {
  struct dwarf_eh_bases bases = {0};
  if (_Unwind_Find_FDE == 0)
    return 0;
  const unsigned char *fde = _Unwind_Find_FDE(pc, &bases);
  if (fde == NULL || bases.func == NULL)
    return 0;
  uint32_t length;
  int32_t cie_delta;
  memcpy(&length, fde, 4);
  memcpy(&cie_delta, fde + 4, 4);
  if (length == 0xffffffffu)
    return 0; /* 64-bit DWARF does not occur in .eh_frame of x86-64 */
  unsigned char encoding = fde_encoding(fde + 4 - cie_delta);
  size_t width = encoding == 0xff ? 0 : width_of(encoding);
  if (width == 0)
    return 0;
  uint64_t range = 0;
  memcpy(&range, fde + 8 + width, width);
  uintptr_t begin = (uintptr_t)bases.func, at = (uintptr_t)pc;
  if (range == 0 || at < begin || at - begin >= range)
    return 0;
  *start = begin;
  *size = range;
  return 1;
}
