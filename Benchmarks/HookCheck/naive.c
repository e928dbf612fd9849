/* SPDX-License-Identifier: Apache-2.0
 * The control of the check: kemon/hook.h as the first hooking libraries did it, copying instructions as they are. The
 * check must find what is wrong with it; if it does not, it would not find faults of the real one either. */
#define _GNU_SOURCE
#include <capstone/capstone.h>
#include <kemon/hook.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define JUMP 5

static uint8_t saved[JUMP], *slot;

const char *kemon_hook_error(void) { return "not enough instructions"; }

static uint8_t *near_page(const uint8_t *function) {
  for (intptr_t distance = 1 << 24; distance < 1 << 30; distance += 1 << 20) {
    uint8_t *place = (uint8_t *)(((uintptr_t)function - (uintptr_t)distance) & ~(uintptr_t)4095);
    void *page = mmap(place, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page == place)
      return page;
  }
  return NULL;
}

static void jump(uint8_t *place, const uint8_t *target) {
  int32_t distance = (int32_t)(target - place - JUMP);
  *place = 0xe9;
  memcpy(place + 1, &distance, sizeof distance);
}

int32_t kemon_hook_plan(const void *function, const kemon_hook_options *options, kemon_hook_plan_info *plan,
                        uint8_t *code, uint64_t capacity) {
  (void)options, (void)code, (void)capacity;
  csh decoder;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) != CS_ERR_OK)
    return KEMON_HOOK_E_SYSTEM;
  cs_insn *instructions = NULL;
  size_t count = cs_disasm(decoder, function, 32, (uint64_t)(uintptr_t)function, 0, &instructions);
  uint32_t size = 0;
  for (size_t i = 0; i < count && size < JUMP; i++)
    size += instructions[i].size;
  if (count > 0)
    cs_free(instructions, count);
  cs_close(&decoder);
  if (size < JUMP)
    return KEMON_HOOK_E_TOO_SHORT;
  plan->tier = KEMON_HOOK_TIER_WINDOW;
  plan->function = plan->patched = (uint64_t)(uintptr_t)function;
  plan->window_size = size;
  plan->resume = plan->patched + size;
  plan->moved_size = size + JUMP;
  return 0;
}

int32_t kemon_hook_replace(const void *function, const void *detour, void **original) {
  kemon_hook_plan_info plan = {.size = sizeof plan};
  int32_t status = kemon_hook_plan(function, NULL, &plan, NULL, 0);
  uint8_t *code = (uint8_t *)(uintptr_t)function;
  if (status != 0 || (slot = near_page(code)) == NULL)
    return status != 0 ? status : KEMON_HOOK_E_OUT_OF_REACH;
  memcpy(slot, code, plan.window_size);
  jump(slot + plan.window_size, code + plan.window_size);
  uint8_t *stub = slot + 64;
  memcpy(stub, (const uint8_t[]){0xff, 0x25, 0, 0, 0, 0}, 6);
  memcpy(stub + 6, &detour, sizeof detour);
  *original = slot;
  uint8_t *page = (uint8_t *)((uintptr_t)code & ~(uintptr_t)4095);
  if (mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 && mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
    return KEMON_HOOK_E_SYSTEM;
  memcpy(saved, code, JUMP);
  jump(code, stub);
  return 0;
}

int32_t kemon_hook_restore(const void *function) {
  memcpy((uint8_t *)(uintptr_t)function, saved, JUMP);
  return 0;
}
