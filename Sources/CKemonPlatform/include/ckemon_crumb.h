/* SPDX-License-Identifier: Apache-2.0
 * Breadcrumbs: in which handler each thread is, where it can still be read when the process has died of it. */
#ifndef CKEMON_CRUMB_H
#define CKEMON_CRUMB_H
#include "ckemon_thread.h"
#include <stdint.h>

/* What a thread is in. Written by the thread itself with plain stores, so `owner` is written last and cleared first. */
typedef struct ckemon_crumb {
  /* Plugin and handler, as a vote begins with them: the plugin's id in the lower half. 0 = in no handler. */
  uint64_t owner;
  /* Bytes 4 to 11 of the event's header: its size, kind, phase and flags. Of a control function: its name. */
  uint64_t kind;
  /* Where the event is, in the memory of the process that wrote the crumb. */
  uint64_t event;
  uint64_t reserved;
} ckemon_crumb;

/* The upper half of `owner` when the thread is in a control function and not in a handler. */
#define CKEMON_CRUMB_CONTROL UINT32_MAX

/* One for each number of a thread. In whole pages, so that a file can take the place of the memory. */
#define CKEMON_CRUMB_BYTES 36864
extern _Alignas(4096) ckemon_crumb ckemon_crumbs[CKEMON_CRUMB_BYTES / sizeof(ckemon_crumb)];

/* The crumb of a thread by its number, see ckemon_thread_number. Threads that share a number write over each other's. */
static inline ckemon_crumb *ckemon_crumb_of(uint32_t thread) { return &ckemon_crumbs[thread]; }

/* Lets the crumbs be written to a file of CKEMON_CRUMB_BYTES bytes, from which they can be read when the process is
 * gone, however it went. Once, before there are other threads. 0 or -errno. */
int ckemon_crumbs_keep_in(int fd);
#endif
