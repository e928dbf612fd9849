/* SPDX-License-Identifier: Apache-2.0
 * Has room for short paths only. */
#define ON_OPEN copy_path(event)
#include <kemon/kemon.h>

static volatile char room[64];
static void copy_path(const kemon_event *event) {
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  if (file == NULL)
    return;
  volatile char *to = room;
  for (const char *from = kemon_str_ptr(event, file->path); *from != 0; from++)
    *to++ = *from;
}
#include "bad.h"
