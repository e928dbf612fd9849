/* SPDX-License-Identifier: Apache-2.0 */
#include "call_shapes.h"
#include <kemon/hook.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
/* What one hook has seen and shall do. */
typedef struct watch {
  int32_t answer;
  int before, after;
  uint64_t first, second;
} watch;

static int32_t before(void *context, kemon_hook_frame *call) {
  watch *watch = context;
  watch->before++;
  watch->first = call->rdi;
  watch->second = call->rsi;
  call->result = 500;
  return watch->answer;
}

static void after(void *context, kemon_hook_frame *call) {
  ((watch *)context)->after++;
  call->result += 7;
}

static char text[256];

static const char *fail(const call_shape *shape, const char *what) {
  snprintf(text, sizeof text, "%s: %s (%s)", shape->name, what, kemon_hook_error());
  return text;
}

static const char *check(const call_shape *shape) {
  uint8_t bytes[16];
  memcpy(bytes, shape->site, sizeof bytes);
  kemon_hook_options options = {.size = sizeof options, .flags = KEMON_HOOK_QUIESCENT};
  watch watch = {.answer = KEMON_HOOK_PROCEED};
  kemon_hook *hook;
  int32_t status = kemon_hook_attach_call(shape->site, &options, before, after, &watch, &hook);
  if (shape->is_no_call) {
    if (status != KEMON_HOOK_E_NOT_A_CALL || hook != NULL)
      return fail(shape, "was not refused as no call");
    return memcmp(bytes, shape->site, sizeof bytes) == 0 ? NULL : fail(shape, "was refused and changed");
  }
  if (status != 0)
    return fail(shape, "could not be hooked");
  int hooked = shape->function(30, 2);
  if (watch.before != 1 || watch.after != 1)
    return fail(shape, "the handlers were not called once each");
  watch.answer = KEMON_HOOK_SKIP;
  if (shape->function(30, 2) != 2 * 507)
    return fail(shape, "a skipped call has another result than the handlers gave it");
  if (kemon_hook_detach(hook) != 0 || memcmp(bytes, shape->site, sizeof bytes) != 0)
    return fail(shape, "could not be restored");
  int plain = shape->function(30, 2);
  if (hooked != (int)((uint32_t)plain + 14))
    return fail(shape, "the caller did not get the replaced result");
  return NULL;
}

const char *call_shapes_fail_from_c(void) {
  long count;
  const call_shape *shapes = call_shapes(&count);
  for (long i = 0; i < count; i++) {
    if (strcmp(shapes[i].name, "direct_watched") == 0)
      continue; /* another suite's */
    const char *failure = check(&shapes[i]);
    if (failure != NULL)
      return failure;
  }
  return NULL;
}
#else
const call_shape *call_shapes(long *count) {
  *count = 0;
  return NULL;
}
const char *call_shapes_fail_from_c(void) { return NULL; }
#endif
