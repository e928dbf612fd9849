/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_crumb.h"
#include <errno.h>
#include <sys/mman.h>

_Alignas(4096) ckemon_crumb ckemon_crumbs[CKEMON_CRUMB_BYTES / sizeof(ckemon_crumb)];

_Static_assert(sizeof ckemon_crumbs == CKEMON_CRUMB_BYTES && CKEMON_CRUMB_BYTES % 4096 == 0, "whole pages");
_Static_assert(sizeof ckemon_crumbs / sizeof(ckemon_crumb) > CKEMON_THREAD_LIMIT + 1, "one for each number");

int ckemon_crumbs_keep_in(int fd) {
  void *place = mmap(ckemon_crumbs, CKEMON_CRUMB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  return place == MAP_FAILED ? -errno : 0;
}
