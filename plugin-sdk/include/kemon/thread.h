/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/thread.h: which of its threads a plugin is on, and how long it may still think.
 */
#ifndef KEMON_THREAD_H
#define KEMON_THREAD_H

#include "host.h"

KEMON_C_BEGIN

#define KEMON_ROLE_OTHER 0    /* none of the host's calls: a thread of the plugin's own */
#define KEMON_ROLE_CONTROL 1  /* in create, start, stop, destroy, … of this plugin */
#define KEMON_ROLE_LANE 2     /* in a handler whose answer is waited for */
#define KEMON_ROLE_OBSERVER 3 /* in a handler with KEMON_H_OBSERVE */

#define KEMON_EXT_THREAD "kemon.thread/1"
typedef struct kemon_ext_thread {
  uint32_t size, reserved;
  /* What the calling thread is doing for this plugin, KEMON_ROLE_*. [any] */
  int32_t (*role)(const kemon_host *h);
  /* Nanoseconds until the host goes on without the answer of the running handler; UINT64_MAX when it waits as long as it
   * takes, 0 when it is too late, or the caller is not [lane], which counts as misbehaviour. [lane] */
  uint64_t (*budget_left_ns)(const kemon_host *h);
} kemon_ext_thread;

KEMON_C_END
#endif
