/* SPDX-License-Identifier: Apache-2.0
 * A call through a hook, where the thunk does not do it alone: the first one of a thread, one made by a handler, one
 * that finds the handlers changed, one after a longjmp, one on another stack. */
#include "hook_call.h"
#include "ckemon_futex.h"
#include "hook_lanes.h"
#include <stddef.h>

#if CKEMON_HOOKS
#include <emmintrin.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == offset, #field " moved")
AT(struct ckemon_hook, original, CKEMON_HOOK_ORIGINAL);
AT(struct ckemon_hook, self, CKEMON_HOOK_SELF);
AT(struct ckemon_hook, resume, CKEMON_HOOK_RESUME);
AT(struct ckemon_hook, table, CKEMON_HOOK_TABLE);
AT(ckemon_hook_table, pre, CKEMON_TABLE_PRE);
AT(ckemon_hook_table, post, CKEMON_TABLE_POST);
AT(ckemon_hook_table, context, CKEMON_TABLE_CONTEXT);
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
AT(ckemon_hook_frame, skipped, CKEMON_FRAME_SKIPPED);
AT(ckemon_hook_frame, state, CKEMON_FRAME_STATE);
AT(ckemon_hook_frame, vectors, CKEMON_FRAME_VECTORS);
AT(ckemon_hook_frame, result_vectors, CKEMON_FRAME_RESULT_VECTORS);
_Static_assert(sizeof(ckemon_hook_frame) == CKEMON_FRAME_SIZE, "the frame changed its size");
_Static_assert(sizeof(ckemon_call) == CKEMON_CALL_SIZE, "the call changed its size");
_Static_assert(_Alignof(max_align_t) > CKEMON_NOTE_FLAGS, "flags fit into the address of a table");

/* Whether the thread is in a call through the hook whose note has all these flags. */
static int is_noted(const ckemon_lane *lane, const ckemon_hook *hook, uintptr_t flags) {
  const ckemon_note *top = atomic_load_explicit(&lane->top, memory_order_relaxed);
  for (const ckemon_note *note = lane->notes; note < top; note++) {
    uintptr_t found = atomic_load_explicit(&note->table, memory_order_relaxed);
    /* A table that this thread notes is not freed. */
    const ckemon_hook_table *table = (const ckemon_hook_table *)(found & ~(uintptr_t)CKEMON_NOTE_FLAGS);
    if (table != NULL && (found & flags) == flags && table->hook == hook)
      return 1;
  }
  return 0;
}

int ckemon_hook_is_inside(const ckemon_hook *hook) {
  const ckemon_lane *lane = ckemon_own_lane;
  return lane != NULL && is_noted(lane, hook, 0);
}

/* Called by the thunks. Asks the pre handlers. */
ckemon_entered ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame);
/* Asks the post handlers and ends the call. */
void ckemon_hook_leave(ckemon_hook_frame *frame, ckemon_hook_table *table, ckemon_note *note);
/* Tells whoever waits for calls to leave that one has. */
void ckemon_hook_departed(ckemon_hook *hook);

/* Whether a handler of the hook runs on this thread: it has made this call. */
static int is_running(const ckemon_lane *lane, const ckemon_hook *hook) {
  for (uint32_t i = 0; i < lane->depth && i < CKEMON_LANE_RUNNING; i++)
    if (lane->running[i] == hook)
      return 1;
  return is_noted(lane, hook, CKEMON_NOTE_RUNNING);
}

/* Notes the call with the handlers that it uses until it leaves; NULL when there are none. */
static ckemon_entered note(ckemon_hook *hook, ckemon_lane *lane, uintptr_t frame) {
  ckemon_entered entered;
  entered.note = ckemon_lane_find(lane, frame);
  if (entered.note == NULL) {
    atomic_fetch_add(&hook->uncounted, 1);
    entered.table = atomic_load(&hook->table);
    return entered;
  }
  uintptr_t outer = atomic_load_explicit(&entered.note[-1].table, memory_order_relaxed);
  uintptr_t inside = (outer & CKEMON_NOTE_FLAGS) != 0 ? CKEMON_NOTE_INSIDE : 0;
  for (;;) {
    /* First note, then look; whoever publishes first changes the table, then looks at the notes, with a barrier in all
     * threads in between. So a call that still finds the table it has noted is seen by whoever retires it. */
    entered.table = atomic_load_explicit(&hook->table, memory_order_acquire);
    if (ckemon_lane_push(lane, entered.note, (uintptr_t)entered.table | inside, frame) &&
        atomic_load_explicit(&hook->table, memory_order_acquire) == entered.table)
      return entered;
  }
}

/* Handlers of the call run from now on; returns what must be put back when they have. */
static uintptr_t begin_handlers(ckemon_lane *lane, const ckemon_hook *hook, ckemon_note *note) {
  if (note != NULL) {
    uintptr_t table = atomic_load_explicit(&note->table, memory_order_relaxed);
    atomic_store_explicit(&note->table, table | CKEMON_NOTE_RUNNING, memory_order_relaxed);
    return table;
  }
  if (lane == NULL)
    return 0;
  uint32_t depth = lane->depth;
  if (depth < CKEMON_LANE_RUNNING)
    lane->running[depth] = hook;
  lane->depth = depth + 1;
  return depth;
}
static void end_handlers(ckemon_lane *lane, ckemon_note *note, uintptr_t before) {
  if (note != NULL)
    atomic_store_explicit(&note->table, before, memory_order_relaxed);
  else if (lane != NULL)
    lane->depth = (uint32_t)before;
}

void ckemon_hook_departed(ckemon_hook *hook) {
  atomic_fetch_add(&hook->left, 1);
  ckemon_futex_wake_all(&hook->left);
}

/* Ends the use of the call's handlers. */
static void leave(ckemon_hook_frame *frame, const ckemon_hook_table *table, ckemon_note *note) {
  ckemon_hook *hook = (ckemon_hook *)(uintptr_t)frame->hook;
  if (note != NULL)
    ckemon_lane_leave(note, (uintptr_t)frame);
  else
    atomic_fetch_sub(&hook->uncounted, 1);
  /* The compiler keeps the order; the barrier of whoever retires makes the processor keep it where it matters. */
  atomic_signal_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&hook->table, memory_order_relaxed) != table)
    ckemon_hook_departed(hook);
}

/* Not by memset or memcpy: those may be the hooked function. */
static inline void copy_words(void *to, const void *from, int bytes) {
  for (int i = 0; i < bytes; i += 16)
    _mm_storeu_si128((__m128i *)((char *)to + i), _mm_loadu_si128((const __m128i *)((const char *)from + i)));
}
static inline void clear_words(void *words, int bytes) {
  for (int i = 0; i < bytes; i += 16)
    _mm_storeu_si128((__m128i *)((char *)words + i), _mm_setzero_si128());
}

ckemon_entered ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame) {
  /* Static: a compiler that does not optimise would clear it by memset, which may be the hooked function. */
  static const ckemon_entered nobody = {NULL, NULL};
  frame->state = CKEMON_STATE_BYPASS;
  ckemon_lane *lane = ckemon_own_lane;
  if (lane == NULL)
    lane = ckemon_lane_make();
  /* What making a lane calls is not the program's doing. */
  if (lane == NULL || is_running(lane, hook)) {
    atomic_fetch_add(&hook->suppressed, 1);
    return nobody;
  }
  ckemon_entered entered = note(hook, lane, (uintptr_t)frame);
  ckemon_hook_table *table = entered.table;
  if (table == NULL) {
    leave(frame, NULL, entered.note);
    return nobody;
  }
  frame->skipped = 0;
  frame->state = CKEMON_STATE_CALL;
  frame->result = 0;
  frame->result2 = 0;
  clear_words(frame->result_vectors, sizeof frame->result_vectors);
  clear_words(frame->scratch, sizeof frame->scratch);
  uintptr_t before = begin_handlers(lane, hook, entered.note);
  int32_t answer = table->pre(table->context, frame);
  end_handlers(lane, entered.note, before);
  frame->skipped = answer != CKEMON_PROCEED;
  if (frame->skipped || table->post != NULL)
    return entered;
  /* The call goes on without us. */
  frame->state = CKEMON_STATE_BYPASS;
  leave(frame, table, entered.note);
  return nobody;
}

void ckemon_hook_leave(ckemon_hook_frame *frame, ckemon_hook_table *table, ckemon_note *note) {
  frame->state = CKEMON_STATE_BYPASS;
  if (table->post != NULL) {
    ckemon_lane *lane = ckemon_own_lane;
    uintptr_t before = begin_handlers(lane, table->hook, note);
    table->post(table->context, frame);
    end_handlers(lane, note, before);
  }
  leave(frame, table, note);
}

int32_t ckemon_hook_pre_all(void *context, ckemon_hook_frame *frame) {
  const ckemon_hook_table *table = context;
  ckemon_call *call = (ckemon_call *)frame;
  uint32_t i = 0;
  int32_t answer = CKEMON_PROCEED;
  while (i < table->count && answer == CKEMON_PROCEED) {
    const ckemon_hook_handler *handler = &table->handlers[i];
    if (i > 0)
      clear_words(frame->scratch, sizeof frame->scratch);
    if (handler->pre != NULL)
      answer = handler->pre(handler->context, frame);
    if (i < CKEMON_SCRATCHES)
      copy_words(call->scratch[i], frame->scratch, sizeof frame->scratch);
    i++;
  }
  frame->ran = i;
  return answer;
}

void ckemon_hook_post_all(void *context, ckemon_hook_frame *frame) {
  const ckemon_hook_table *table = context;
  const ckemon_call *call = (const ckemon_call *)frame;
  for (uint32_t i = (uint32_t)frame->ran; i-- > 0;) {
    const ckemon_hook_handler *handler = &table->handlers[i];
    if (i < CKEMON_SCRATCHES)
      copy_words(frame->scratch, call->scratch[i], sizeof frame->scratch);
    else
      clear_words(frame->scratch, sizeof frame->scratch);
    if (handler->post != NULL)
      handler->post(handler->context, frame);
  }
}

/* The part of the unwinder's interface that is needed here; <unwind.h> belongs to the compiler. */
struct _Unwind_Context;
extern uintptr_t _Unwind_GetCFA(struct _Unwind_Context *) __attribute__((weak));
extern uintptr_t _Unwind_GetGR(struct _Unwind_Context *, int) __attribute__((weak));
int ckemon_hook_personality(int version, int actions, uint64_t class, void *exception, struct _Unwind_Context *context)
    __attribute__((visibility("hidden")));

/* An exception, or the end of the thread, passes a thunk: post handlers learn that the call is over. */
int ckemon_hook_personality(int version, int actions, uint64_t class, void *exception,
                            struct _Unwind_Context *context) {
  (void)version, (void)class, (void)exception;
  enum { cleanup_phase = 2, continue_unwind = 8, rbx = 3, r15 = 15 };
  if ((actions & cleanup_phase) != 0 && _Unwind_GetCFA != NULL && _Unwind_GetGR != NULL) {
    ckemon_hook_frame *frame = (ckemon_hook_frame *)(_Unwind_GetCFA(context) + CKEMON_CALL_PLACE);
    if (frame->state == CKEMON_STATE_CALL) {
      frame->skipped = 2;
      ckemon_hook_leave(frame, (ckemon_hook_table *)_Unwind_GetGR(context, rbx),
                        (ckemon_note *)_Unwind_GetGR(context, r15));
    }
  }
  return continue_unwind;
}
#endif
