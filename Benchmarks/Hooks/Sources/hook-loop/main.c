/* SPDX-License-Identifier: Apache-2.0
 * The process that frida hooks: prints the address of the function and of the library's functions it can be asked to
 * hook, then measures one round for every line that it reads. */
#include "hook_targets.h"
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  const void *functions[1000];
  size_t found = count > 1 ? hook_exports(arguments[1], 16, functions, 1000) : 0;
  printf("%p %zu", (void *)hook_target_at(0), found);
  for (size_t i = 0; i < found; i++)
    printf(" %p", functions[i]);
  printf("\n");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    printf("%.3f\n", hook_measure(hook_target_at(0), atol(line)));
    fflush(stdout);
  }
  return 0;
}
