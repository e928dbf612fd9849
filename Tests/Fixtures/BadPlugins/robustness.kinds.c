/* SPDX-License-Identifier: Apache-2.0
 * Takes every event for one of a kind that it knows. */
#define KIND "*"
#define ON_OPEN sink += name_length(event)
#include <kemon/kemon.h>

static uint64_t name_length(const kemon_event *event) {
  size_t count;
  const kemon_kind_info *found = NULL, *infos = kemon_kind_infos(&count);
  for (size_t i = 0; i < count; i++)
    if (infos[i].kind == event->kind)
      found = &infos[i];
  return strlen(found->name);
}
#include "bad.h"
