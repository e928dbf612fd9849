/* SPDX-License-Identifier: Apache-2.0
 * Stops for a debugger in a handler, and in a function that it calls through a hook; with an argument it crashes there. */
#include <kemon/hook.h>
#include <signal.h>
#include <stdio.h>

static int crashes;
static volatile int *volatile nowhere;

__attribute__((noinline)) static long watched_function(long n) {
  if (crashes)
    *nowhere = 1;
  raise(SIGTRAP);
  return n + 1;
}

static int32_t before_the_call(void *context, kemon_hook_frame *call) {
  (void)context, (void)call;
  if (!crashes)
    raise(SIGTRAP);
  return KEMON_HOOK_PROCEED;
}

static void after_the_call(void *context, kemon_hook_frame *call) {
  (void)context;
  call->result += 10;
}

__attribute__((noinline)) static long calling_function(long n) {
  long (*volatile function)(long) = watched_function;
  return 2 * function(n);
}

int main(int count, char **arguments) {
  (void)arguments;
  crashes = count > 1;
  kemon_hook *hook;
  if (kemon_hook_attach_entry((const void *)(uintptr_t)watched_function, NULL, before_the_call, after_the_call, NULL,
                              &hook) != 0) {
    puts(kemon_hook_error());
    return 1;
  }
  long result = calling_function(1);
  printf("result %ld\n", result);
  return kemon_hook_detach(hook) == 0 && result == 24 ? 0 : 1;
}
