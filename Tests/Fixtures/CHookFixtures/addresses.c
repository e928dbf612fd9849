/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_fixtures.h"
#include "leaving.h"
#include <stddef.h>
#include <string.h>

#define FUNCTION(name) {#name, (const void *)(uintptr_t)name},

static const struct {
  const char *name;
  const void *address;
} addresses[] = {
    FUNCTION(fixture_add_calls) FUNCTION(fixture_add_skip) FUNCTION(fixture_add_change) FUNCTION(fixture_add_replace)
    FUNCTION(fixture_add_bytes) FUNCTION(fixture_add_threads) FUNCTION(fixture_add_cycles) FUNCTION(fixture_add_align)
    FUNCTION(fixture_add_twice) FUNCTION(fixture_add_maps) FUNCTION(fixture_add_scratch) FUNCTION(fixture_add_changed)
    FUNCTION(fixture_add_slow_hook) FUNCTION(fixture_sum10) FUNCTION(fixture_sum8d) FUNCTION(fixture_sum_variadic)
    FUNCTION(fixture_jumps) FUNCTION(fixture_ends_thread) FUNCTION(fixture_sum30)
    FUNCTION(fixture_sum_variadic_of_4) FUNCTION(fixture_add_stack) FUNCTION(fixture_add_busy) FUNCTION(fixture_add_sleepy)
    FUNCTION(fixture_add_order) FUNCTION(fixture_add_swapped) FUNCTION(fixture_add_pre) FUNCTION(fixture_add_nested)
    FUNCTION(fixture_add_dynamic) FUNCTION(fixture_add_watched)
    FUNCTION(fixture_forked) FUNCTION(fixture_forked_engine) FUNCTION(fixture_forked_waits) FUNCTION(fixture_deep)
    FUNCTION(fixture_swap) FUNCTION(fixture_fibonacci) FUNCTION(fixture_depth) FUNCTION(fixture_return_address) FUNCTION(fixture_wait_for)
#if defined(__x86_64__)
    FUNCTION(fixture_zmm_callee) FUNCTION(fixture_ymm_callee) FUNCTION(fixture_call_rbx) FUNCTION(fixture_call_rbx_site)
    FUNCTION(fixture_call_rbp50_site) FUNCTION(fixture_call_rbp38_site) FUNCTION(fixture_call_memory_site)
    FUNCTION(fixture_call_direct_site) FUNCTION(fixture_call_r11_site) FUNCTION(fixture_call_stack_site)
    FUNCTION(fixture_call_indexed_site) FUNCTION(fixture_call_joined_site) FUNCTION(fixture_endbr)
    FUNCTION(fixture_rip_load) FUNCTION(fixture_short_jcc) FUNCTION(fixture_short_jmp) FUNCTION(fixture_near_call)
    FUNCTION(fixture_jrcxz) FUNCTION(fixture_big_immediate) FUNCTION(fixture_loop_back) FUNCTION(fixture_loop_entry)
    FUNCTION(fixture_tiny) FUNCTION(fixture_tiny_before_data) FUNCTION(fixture_jumped_into) FUNCTION(fixture_jumped_into_early) FUNCTION(fixture_call_next) FUNCTION(fixture_without_cfi)
    FUNCTION(fixture_live_endbr) FUNCTION(fixture_live_short_jcc) FUNCTION(fixture_live_loop_back) FUNCTION(fixture_watched_loop)
    FUNCTION(fixture_without_cfi_end) FUNCTION(fixture_xbegin)
#endif
    FUNCTION(kemon_test_swift_throws) FUNCTION(kemon_test_swift_async) FUNCTION(kemon_test_swift_method)
    FUNCTION(kemon_test_swift_words) FUNCTION(kemon_test_swift_doubles)
};

const void *fixture_address(const char *name) {
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
    if (strcmp(addresses[i].name, name) == 0)
      return addresses[i].address;
  return NULL;
}
