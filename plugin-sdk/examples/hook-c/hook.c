/* SPDX-License-Identifier: Apache-2.0
 *
 * Sees what a function of the C library is called with, changes it, and takes another function's place.
 *
 *   cc -I plugin-sdk/include hook.c -L .build/release -lKemonHooks -o hook
 */
#include <kemon/hook.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long calls;

static int32_t before(void *context, kemon_hook_frame *call) {
  (void)context;
  calls++;
  call->scratch[0] = call->rdi; /* remembered for after() */
  call->rdi = (uint64_t)-42;
  return KEMON_HOOK_PROCEED;
}

static void after(void *context, kemon_hook_frame *call) {
  (void)context;
  printf("labs(%ld) was called as labs(-42) and returned %ld\n", (long)call->scratch[0], (long)call->result);
  call->result = 7;
}

static int (*original_atoi)(const char *);
static int twice(const char *text) { return 2 * original_atoi(text); }

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, kemon_hook_error());
  return 1;
}

int main(void) {
  /* Called by pointer, so that the compiler does not know the result. */
  long (*volatile absolute)(long) = labs;
  int (*volatile number)(const char *) = atoi;

  kemon_hook *hook;
  if (kemon_hook_attach_symbol("libc.so.6", "labs", NULL, before, after, NULL, &hook) != 0)
    return fail("labs");
  long seen = absolute(-1);
  if (kemon_hook_detach(hook) != 0)
    return fail("labs");
  printf("the program saw %ld; without the hook %ld\n", seen, absolute(-1));

  if (kemon_hook_replace((const void *)(uintptr_t)number, (const void *)(uintptr_t)twice, (void **)&original_atoi) != 0)
    return fail("atoi");
  int doubled = number("21");
  if (kemon_hook_restore((const void *)(uintptr_t)number) != 0)
    return fail("atoi");
  printf("atoi(\"21\") was %d and is %d\n", doubled, number("21"));
  return calls == 1 && seen == 7 && doubled == 42 && number("21") == 21 ? 0 : 1;
}
