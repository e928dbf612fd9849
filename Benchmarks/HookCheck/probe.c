/* SPDX-License-Identifier: Apache-2.0
 * hook-probe LIBRARY MEMORY: hooks every exported function of a private copy of a library, each in a child of its own,
 * and writes what came of it as lines of JSON. MEMORY gets the library's bytes as they were before. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <kemon/hook.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AROUND 256        /* bytes in front of and behind the patch that are looked at: as far as a short jump reaches */
#define CODE_LIMIT 262144 /* of one function's moved code */

typedef struct function {
  uintptr_t address;
  uint64_t size;
  const char *name;
  unsigned names, indirect;
} function;

static long detour(void) { return 0; }

static void print_hex(const char *name, const void *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  printf(",\"%s\":\"", name);
  for (size_t i = 0; i < count; i++) {
    unsigned char byte = ((const unsigned char *)bytes)[i];
    putchar(digits[byte >> 4]);
    putchar(digits[byte & 15]);
  }
  putchar('"');
}

static void print_text(const char *name, const char *text) {
  printf(",\"%s\":\"", name);
  for (; *text != 0; text++) {
    if (*text == '"' || *text == '\\')
      putchar('\\');
    putchar(*text < ' ' ? ' ' : *text);
  }
  putchar('"');
}

/* Where the jumps at a patched entry lead: over the padding to the stub. */
static uintptr_t follow(uintptr_t place) {
  for (int hop = 0; hop < 3; hop++) {
    const unsigned char *code = (const unsigned char *)place;
    int32_t distance;
    if (code[0] == 0xe9) {
      memcpy(&distance, code + 1, sizeof distance);
      place += 5 + (uintptr_t)(intptr_t)distance;
      return place;
    }
    if (code[0] != 0xeb)
      break;
    place += 2 + (uintptr_t)(intptr_t)(int8_t)code[1];
  }
  return place;
}

/* In a child: hook, look, unhook. */
static void probe(const function *item) {
  static uint8_t code[CODE_LIMIT], before[2 * AROUND], after[2 * AROUND];
  kemon_hook_plan_info plan = {.size = sizeof plan};
  if (kemon_hook_plan((const void *)item->address, NULL, &plan, code, sizeof code) != 0) {
    print_text("refused", kemon_hook_error());
    return;
  }
  const uint8_t *around = (const uint8_t *)plan.patched - AROUND;
  /* Not memcpy, which may be what is hooked. */
  for (int i = 0; i < 2 * AROUND; i++)
    before[i] = ((const volatile uint8_t *)around)[i];
  void *original = NULL;
  if (kemon_hook_replace((const void *)item->address, (const void *)detour, &original) != 0) {
    print_text("refused", kemon_hook_error());
    return;
  }
  for (int i = 0; i < 2 * AROUND; i++)
    after[i] = ((const volatile uint8_t *)around)[i];
  uintptr_t stub = follow(plan.patched);
  uint64_t lead = plan.moved_size < CODE_LIMIT - 64 ? plan.moved_size + 32 : CODE_LIMIT;
  printf(",\"tier\":%u,\"entry\":%llu,\"window\":%u,\"resume\":%llu,\"original\":%llu,\"needs_stop\":%u,\"size_found\":%llu",
         plan.tier, (unsigned long long)plan.patched, plan.window_size, (unsigned long long)plan.resume,
         (unsigned long long)(uintptr_t)original, plan.needs_stop, (unsigned long long)plan.function_size);
  printf(",\"detour\":%llu,\"stub_at\":%llu,\"before_at\":%llu", (unsigned long long)(uintptr_t)detour,
         (unsigned long long)stub, (unsigned long long)(uintptr_t)around);
  print_hex("code", original, lead);
  /* With the words around it that it reads. */
  uintptr_t stub_from = (stub & ~(uintptr_t)127) > stub - 64 ? stub & ~(uintptr_t)127 : stub - 64;
  printf(",\"stub_from\":%llu", (unsigned long long)stub_from);
  print_hex("stub", (const void *)stub_from, 128);
  print_hex("before", before, sizeof before);
  print_hex("after", after, sizeof after);
  if (kemon_hook_restore((const void *)item->address) != 0)
    print_text("left", kemon_hook_error());
  for (int i = 0; i < 2 * AROUND; i++)
    if (((const volatile uint8_t *)around)[i] != before[i]) {
      print_text("left", "the bytes are not what they were");
      break;
    }
}

static void run(const function *item) {
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    exit(2);
  }
  if (child == 0) {
    alarm(20);
    printf("{\"name\":\"%s\",\"names\":%u,\"address\":%llu,\"size\":%llu,\"indirect\":%u", item->name, item->names,
           (unsigned long long)item->address, (unsigned long long)item->size, item->indirect);
    probe(item);
    printf("}\n");
    fflush(stdout);
    _exit(0);
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    ;
  if (status != 0)
    printf("{\"name\":\"%s\",\"names\":%u,\"address\":%llu,\"size\":%llu,\"indirect\":%u,\"crash\":%d}\n", item->name,
           item->names, (unsigned long long)item->address, (unsigned long long)item->size, item->indirect, status);
}

static int by_address(const void *left, const void *right) {
  const function *a = left, *b = right;
  return a->address < b->address ? -1 : a->address > b->address;
}

/* How many symbols there are: the hash table is the only one that says it. */
static uint32_t symbol_count(const uint32_t *hash) {
  uint32_t buckets = hash[0], first = hash[1], bloom = hash[2], last = 0;
  const uint32_t *bucket = hash + 4 + bloom * (sizeof(void *) / 4), *chain = bucket + buckets;
  for (uint32_t i = 0; i < buckets; i++)
    if (bucket[i] > last)
      last = bucket[i];
  if (last < first)
    return first;
  while ((chain[last - first] & 1) == 0)
    last++;
  return last + 1;
}

static size_t exports(void *handle, const struct link_map *map, function *found, size_t capacity) {
  const ElfW(Sym) *symbols = NULL;
  const char *strings = NULL;
  const uint32_t *hash = NULL;
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_SYMTAB)
      symbols = (const void *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRTAB)
      strings = (const void *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_GNU_HASH)
      hash = (const void *)entry->d_un.d_ptr;
  }
  if (symbols == NULL || strings == NULL || hash == NULL)
    return 0;
  size_t count = 0;
  uint32_t end = symbol_count(hash);
  for (uint32_t i = 0; i < end && count < capacity; i++) {
    unsigned type = ELF64_ST_TYPE(symbols[i].st_info);
    if (symbols[i].st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC))
      continue;
    const char *name = strings + symbols[i].st_name;
    function *item = &found[count];
    *item = (function){map->l_addr + symbols[i].st_value, symbols[i].st_size, name, 1, 0};
    if (type == STT_GNU_IFUNC) {
      /* The function that was chosen for this processor. */
      item->indirect = 1;
      item->size = 0;
      item->address = (uintptr_t)dlsym(handle, name);
      if (item->address == 0)
        continue;
    }
    count++;
  }
  qsort(found, count, sizeof *found, by_address);
  size_t unique = 0;
  for (size_t i = 0; i < count; i++)
    if (unique > 0 && found[unique - 1].address == found[i].address)
      found[unique - 1].names++;
    else
      found[unique++] = found[i];
  return unique;
}

static void dump(const struct link_map *map, const char *path) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  const ElfW(Ehdr) *header = (const void *)map->l_addr;
  const ElfW(Phdr) *segments = (const void *)(map->l_addr + header->e_phoff);
  printf("{\"library\":\"%s\",\"base\":%llu,\"segments\":[", map->l_name, (unsigned long long)map->l_addr);
  int written = 0;
  for (int i = 0; i < header->e_phnum; i++) {
    if (segments[i].p_type != PT_LOAD)
      continue;
    uintptr_t start = (map->l_addr + segments[i].p_vaddr) & ~(uintptr_t)4095;
    uintptr_t end = (map->l_addr + segments[i].p_vaddr + segments[i].p_memsz + 4095) & ~(uintptr_t)4095;
    printf("%s[%llu,%llu]", written++ ? "," : "", (unsigned long long)start, (unsigned long long)(end - start));
    fwrite((const void *)start, 1, end - start, file);
  }
  printf("]}\n");
  fclose(file);
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: hook-probe LIBRARY MEMORY\n");
    return 64;
  }
  void *handle = dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL)
    handle = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  struct link_map *map = NULL;
  if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
    fprintf(stderr, "hook-probe: %s\n", dlerror());
    return 66;
  }
  static function found[65536];
  size_t functions = exports(handle, map, found, sizeof found / sizeof found[0]);
  dump(map, arguments[2]);
  for (size_t i = 0; i < functions; i++)
    run(&found[i]);
  return 0;
}
