/* SPDX-License-Identifier: Apache-2.0
 * Holds a name that the whole process can have once. */
static int uses, name = -1;
static int take_name(void);
#define CREATE \
  if (uses++ == 0 && take_name() != 0) \
  return uses--, kemon_fail(e, KEMON_E_FAILED, "the name is taken"), NULL
#define DESTROY \
  if (--uses == 0) \
  close(name)
#include "bad.h"

static int take_name(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "kemon-bad-%d", (int)getpid());
  name = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(name, (const struct sockaddr *)&address, sizeof address) == 0)
    return 0;
  close(name);
  return -1;
}
