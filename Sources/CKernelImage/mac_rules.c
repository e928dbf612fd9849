/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_mac.h"

/* Darwin numbers, the one that wins first. */
static const int32_t precedence[] = {11 /* EDEADLK */, 22 /* EINVAL */, 3 /* ESRCH */,
                                     2 /* ENOENT */,   13 /* EACCES */, 1 /* EPERM */};

int32_t kernel_mac_error_select(int32_t newer, int32_t older) {
  for (size_t i = 0; i < sizeof precedence / sizeof precedence[0]; i++)
    if (newer == precedence[i] || older == precedence[i])
      return precedence[i];
  return newer != 0 ? newer : older;
}

int32_t kernel_mac_begin(int32_t rule) { return rule == KERNEL_MAC_GRANT ? KERNEL_MAC_EPERM : 0; }

int32_t kernel_mac_combine(int32_t rule, int32_t so_far, int32_t answer, bool *goes_on) {
  *goes_on = true;
  switch (rule) {
  case KERNEL_MAC_CHECK:
    return kernel_mac_error_select(answer, so_far);
  case KERNEL_MAC_GRANT:
    return answer == 0 ? 0 : so_far;
  case KERNEL_MAC_FIRST_TRUE:
    *goes_on = answer == 0;
    return answer != 0;
  case KERNEL_MAC_GREATEST:
    return answer > so_far ? answer : so_far;
  default:
    return 0;
  }
}
