/* SPDX-License-Identifier: Apache-2.0
 * What the thunks and the C of a hooked call share: how a hook, its handlers and a call lie in memory. */
#ifndef CKEMON_HOOK_CALL_H
#define CKEMON_HOOK_CALL_H
#include "ckemon_hook.h"

/* Offsets; hook_call.c checks them. */
#define CKEMON_TABLE_PRE 8
#define CKEMON_TABLE_POST 16
#define CKEMON_TABLE_CONTEXT 24
#define CKEMON_CALL_SIZE 608

/* From the thunk's stack pointer to the call, while the original runs. */
#define CKEMON_CALL_PLACE 128

#ifndef __ASSEMBLER__
#include <stdatomic.h>

/* The thunks know of one pre and one post handler, which may call several. */
struct ckemon_hook_table {
  const ckemon_hook *hook;
  ckemon_pre_handler pre;
  ckemon_post_handler post; /* NULL: nobody wants to see the end of a call */
  void *context;
  uint32_t count;
  ckemon_hook_handler handlers[];
};

struct ckemon_hook {
  const void *original;
  const void *self; /* thunks copy both at once */
  const void *resume;
  _Atomic(ckemon_hook_table *) table; /* NULL: nobody is asked */
  /* Calls that found no note in their lane, how many left while somebody may have waited, and calls made by handlers:
   * seldom written, so kept away from what every call reads. */
  _Alignas(64) atomic_uint uncounted;
  atomic_uint left;
  atomic_ullong suppressed;
};

/* What a thunk has on its stack: the frame and what handlers do not see. */
typedef struct ckemon_call {
  ckemon_hook_frame frame;
  uint64_t scratch[CKEMON_SCRATCHES][4];
} ckemon_call;

/* What ckemon_hook_enter found: the thunk keeps both in registers. */
typedef struct ckemon_entered {
  ckemon_hook_table *table; /* NULL: nobody is asked (any more) */
  struct ckemon_note *note; /* NULL: the call is counted, not noted */
} ckemon_entered;

/* Handlers that call the handlers of the table which is their context, in order and in the opposite one. */
int32_t ckemon_hook_pre_all(void *table, ckemon_hook_frame *frame);
void ckemon_hook_post_all(void *table, ckemon_hook_frame *frame);
#endif
#endif
