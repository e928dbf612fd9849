/* SPDX-License-Identifier: Apache-2.0 */
#include "ckemon_hook.h"
#include "ckemon_futex.h"
#include "hook_lanes.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ckemon_hook {
  const void *original;
  const void *resume;
  uint32_t flags;
  atomic_uint armed;
  ckemon_pre_handler pre;
  ckemon_post_handler post;
  void *context;
  /* Calls that found no slot in their lane, and how many left while somebody waited: seldom written, so kept away from
   * what every call reads. */
  _Alignas(64) atomic_uint uncounted;
  atomic_uint left;
};

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == offset, #field " moved")
AT(struct ckemon_hook, original, CKEMON_HOOK_ORIGINAL);
AT(struct ckemon_hook, resume, CKEMON_HOOK_RESUME);
AT(struct ckemon_hook, flags, CKEMON_HOOK_FLAGS);
AT(ckemon_hook_frame, rdi, CKEMON_FRAME_RDI);
AT(ckemon_hook_frame, rsi, CKEMON_FRAME_RSI);
AT(ckemon_hook_frame, rdx, CKEMON_FRAME_RDX);
AT(ckemon_hook_frame, rcx, CKEMON_FRAME_RCX);
AT(ckemon_hook_frame, r8, CKEMON_FRAME_R8);
AT(ckemon_hook_frame, r9, CKEMON_FRAME_R9);
AT(ckemon_hook_frame, rax, CKEMON_FRAME_RAX);
AT(ckemon_hook_frame, r10, CKEMON_FRAME_R10);
AT(ckemon_hook_frame, result, CKEMON_FRAME_RESULT);
AT(ckemon_hook_frame, result2, CKEMON_FRAME_RESULT2);
AT(ckemon_hook_frame, target, CKEMON_FRAME_TARGET);
AT(ckemon_hook_frame, return_address, CKEMON_FRAME_RETURN_ADDRESS);
AT(ckemon_hook_frame, stack_arguments, CKEMON_FRAME_STACK_ARGUMENTS);
AT(ckemon_hook_frame, hook, CKEMON_FRAME_HOOK);
AT(ckemon_hook_frame, scratch, CKEMON_FRAME_SCRATCH);
AT(ckemon_hook_frame, lane, CKEMON_FRAME_LANE);
AT(ckemon_hook_frame, state, CKEMON_FRAME_STATE);
AT(ckemon_hook_frame, vectors, CKEMON_FRAME_VECTORS);
AT(ckemon_hook_frame, result_vectors, CKEMON_FRAME_RESULT_VECTORS);
_Static_assert(sizeof(ckemon_hook_frame) == CKEMON_FRAME_SIZE, "the frame changed its size");

ckemon_hook *ckemon_hook_create(const void *original, const void *resume, uint32_t flags) {
  ckemon_hook *hook = aligned_alloc(_Alignof(ckemon_hook), sizeof *hook);
  if (hook == NULL)
    return NULL;
  ckemon_lanes_prepare();
  memset(hook, 0, sizeof *hook);
  hook->original = original;
  hook->resume = resume;
  hook->flags = flags;
  return hook;
}

void ckemon_hook_arm(ckemon_hook *hook, ckemon_pre_handler pre, ckemon_post_handler post, void *context) {
  hook->pre = pre;
  hook->post = post;
  hook->context = context;
  atomic_store(&hook->armed, 1);
}

void ckemon_hook_disarm(ckemon_hook *hook) {
  atomic_store(&hook->armed, 0);
  ckemon_lanes_barrier();
  for (;;) {
    uint32_t left = atomic_load(&hook->left);
    if (ckemon_hook_in_flight(hook) == 0)
      return;
    ckemon_futex_wait(&hook->left, left, 10000000);
  }
}

uint32_t ckemon_hook_in_flight(const ckemon_hook *hook) {
  return ckemon_lanes_count(hook) + atomic_load(&hook->uncounted);
}

int ckemon_hook_is_inside(const ckemon_hook *hook) {
  ckemon_lane *lane = ckemon_own_lane;
  for (int i = 0; lane != NULL && i < CKEMON_LANE_SLOTS; i++)
    if (atomic_load_explicit(&lane->inside[i], memory_order_relaxed) == hook)
      return 1;
  return 0;
}

#if CKEMON_HOOKS
int ckemon_has_wide_vectors(void) { return __builtin_cpu_supports("avx") != 0; }

/* Called by the thunks. */
uint32_t ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame);
void ckemon_hook_leave(ckemon_hook *hook, ckemon_hook_frame *frame);

static void leave(ckemon_hook *hook, ckemon_hook_frame *frame) {
  if (frame->lane != NULL)
    ckemon_lane_leave(frame->lane, frame->slot);
  else
    atomic_fetch_sub(&hook->uncounted, 1);
  /* The compiler keeps the order; the barrier of whoever disarms makes the processor keep it where it matters. */
  atomic_signal_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&hook->armed, memory_order_relaxed) == 0) {
    atomic_fetch_add(&hook->left, 1);
    ckemon_futex_wake_all(&hook->left);
  }
}

uint32_t ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame) {
  /* First note, then look; whoever disarms first clears `armed`, then looks at the notes, with a barrier in all threads
   * in between. So a call that sees `armed` is seen by disarm, and no handler runs after disarm has returned. */
  ckemon_lane *lane = ckemon_own_lane;
  if (lane == NULL)
    lane = ckemon_lane_make();
  uint32_t slot = lane == NULL ? CKEMON_LANE_SLOTS : ckemon_lane_enter(lane, hook);
  frame->slot = (uint16_t)slot;
  frame->lane = lane;
  if (slot == CKEMON_LANE_SLOTS) {
    frame->lane = NULL;
    atomic_fetch_add(&hook->uncounted, 1);
  }
  if (ckemon_lanes_are_asymmetric)
    atomic_signal_fence(memory_order_seq_cst);
  else
    atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&hook->armed, memory_order_acquire) == 0) {
    leave(hook, frame);
    return frame->state = CKEMON_STATE_BYPASS;
  }
  frame->result = 0;
  frame->result2 = 0;
  /* Not by memset, here and below: that may be the hooked function. */
  for (int i = 0; i < 4; i++)
    frame->scratch[i] = 0;
  frame->skipped = 0;
  if (hook->pre == NULL || hook->pre(hook->context, frame) == CKEMON_PROCEED)
    return frame->state = CKEMON_STATE_CALL;
  frame->skipped = 1;
  for (int i = 0; i < 2; i++)
    for (int lane_index = 0; lane_index < 4; lane_index++)
      frame->result_vectors[i].lane[lane_index] = 0;
  return frame->state = CKEMON_STATE_SKIP;
}

void ckemon_hook_leave(ckemon_hook *hook, ckemon_hook_frame *frame) {
  if (hook->post != NULL)
    hook->post(hook->context, frame);
  leave(hook, frame);
}
#else
int ckemon_has_wide_vectors(void) { return 0; }
#endif
