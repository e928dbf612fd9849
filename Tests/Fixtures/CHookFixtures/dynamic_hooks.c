/* SPDX-License-Identifier: Apache-2.0 */
#include "dynamic_hooks.h"
#include <kemon/hook.h>
#include <string.h>

#if defined(__x86_64__)
typedef struct pair {
  int64_t whole;
  double part;
} pair;

static const char prototype[] = "{i64,f64}({i64,f64}, f80, i8, ptr)";

__attribute__((noinline)) static pair blend(pair value, long double scale, int8_t sign, int *calls) {
  ++*calls;
  return (pair){value.whole * (int64_t)scale * sign, value.part * (double)scale};
}
static pair (*volatile called)(pair, long double, int8_t, int *) = blend;

static int is(pair value, int64_t whole, double part) { return value.whole == whole && value.part == part; }

/* The function's address: a pointer to a function is none to an object in C. */
static const void *target(void) { return (const void *)(uintptr_t)blend; }

static int32_t before(void *context, void **arguments, void *result) {
  long double *scale = arguments[1];
  int8_t *sign = arguments[2];
  if (*scale == 0.0L) {
    *(pair *)result = (pair){-1, -1};
    return KEMON_HOOK_SKIP;
  }
  *(int *)context += 1;
  *scale += 1;
  *sign = (int8_t)-*sign;
  return KEMON_HOOK_PROCEED;
}

static void after(void *context, void **arguments, void *result) {
  (void)context, (void)arguments;
  ((pair *)result)->part += 0.5;
}

const char *dynamic_attach_fails_from_c(void) {
  int calls = 0, seen = 0;
  kemon_hook *hook;
  if (kemon_hook_attach_dynamic(target(), prototype, NULL, before, after, &seen, &hook) != 0)
    return kemon_hook_error();
  pair changed = called((pair){5, 1.5}, 2.0L, 1, &calls);
  pair skipped = called((pair){5, 1.5}, 0.0L, 1, &calls);
  /* A hook of its transaction goes with it. */
  kemon_hook_transaction *transaction = kemon_hook_begin();
  kemon_hook_add_detach(transaction, hook);
  if (kemon_hook_commit(transaction) != 0)
    return kemon_hook_error();
  pair plain = called((pair){5, 1.5}, 2.0L, 1, &calls);
  if (!is(changed, -15, 5.0))
    return "changed arguments and a changed result did not arrive";
  if (!is(skipped, -1, -0.5))
    return "a skipped function did not give the result that was set";
  if (!is(plain, 10, 3.0) || calls != 2 || seen != 1)
    return "the function is not as it was";
  return NULL;
}

static void detour(void *context, const void *original, void **arguments, void *result) {
  *(int8_t *)arguments[2] = 2;
  kemon_prototype_call(context, original, arguments, result);
  ((pair *)result)->part = -((pair *)result)->part;
}

const char *dynamic_replace_fails_from_c(void) {
  int calls = 0;
  /* Never freed: a detour may be called late. */
  static kemon_prototype *described;
  if (described == NULL && kemon_prototype_create(prototype, &described) != 0)
    return kemon_hook_error();
  if (kemon_hook_replace_dynamic(target(), prototype, detour, described) != 0)
    return kemon_hook_error();
  pair replaced = called((pair){5, 1.5}, 2.0L, 1, &calls);
  if (kemon_hook_restore(target()) != 0)
    return kemon_hook_error();
  pair plain = called((pair){5, 1.5}, 2.0L, 1, &calls);
  if (!is(replaced, 20, -3.0) || !is(plain, 10, 3.0) || calls != 2)
    return "the detour was not in the function's place, or still is";

  pair value = {3, 0.25}, result;
  long double scale = 2;
  int8_t sign = 1;
  int *counter = &calls;
  void *arguments[] = {&value, &scale, &sign, &counter};
  kemon_prototype_call(described, target(), arguments, &result);
  return is(result, 6, 0.5) && calls == 3 ? NULL : "a call by its prototype went wrong";
}

const char *dynamic_errors_fail_from_c(void) {
  kemon_hook *hook;
  kemon_prototype *described;
  const char *wrong = "i32(i32, quad)";
  if (kemon_hook_attach_dynamic(target(), wrong, NULL, before, NULL, NULL, &hook) != KEMON_HOOK_E_PROTOTYPE || hook)
    return "a wrong prototype was accepted";
  if (strstr(kemon_hook_error(), "column 10") == NULL)
    return kemon_hook_error();
  if (kemon_hook_replace_dynamic(target(), wrong, detour, NULL) != KEMON_HOOK_E_PROTOTYPE)
    return "a wrong prototype of a detour was accepted";
  if (kemon_prototype_create(wrong, &described) != KEMON_HOOK_E_PROTOTYPE || described)
    return "a wrong prototype was made";
  if (kemon_hook_attach_dynamic(NULL, prototype, NULL, before, NULL, NULL, &hook) != KEMON_HOOK_E_ARGUMENT ||
      kemon_hook_attach_dynamic(target(), NULL, NULL, before, NULL, NULL, &hook) != KEMON_HOOK_E_ARGUMENT ||
      kemon_hook_attach_dynamic(target(), prototype, NULL, before, NULL, NULL, NULL) != KEMON_HOOK_E_ARGUMENT ||
      kemon_hook_replace_dynamic(target(), prototype, NULL, NULL) != KEMON_HOOK_E_ARGUMENT ||
      kemon_prototype_create(NULL, &described) != KEMON_HOOK_E_ARGUMENT)
    return "NULL was accepted";
  kemon_prototype_free(NULL);
  return NULL;
}
#endif
