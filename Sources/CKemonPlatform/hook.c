/* SPDX-License-Identifier: Apache-2.0 */
#include "ckemon_hook.h"
#include "ckemon_futex.h"
#include "hook_lanes.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if CKEMON_HOOKS
#include <emmintrin.h>
#endif

struct ckemon_hook_table {
  const ckemon_hook *hook;
  uint32_t count, has_post;
  ckemon_hook_handler handlers[];
};

struct ckemon_hook {
  const void *original;
  const void *resume;
  _Atomic(ckemon_hook_table *) table; /* NULL: nobody is asked */
  /* Calls that found no slot in their lane, how many left while somebody may have waited, and calls made by handlers:
   * seldom written, so kept away from what every call reads. */
  _Alignas(64) atomic_uint uncounted;
  atomic_uint left;
  atomic_ullong suppressed;
};

/* What the thunk has on its stack: the frame and what handlers do not see. */
typedef struct call {
  ckemon_hook_frame frame;
  uint64_t scratch[CKEMON_SCRATCHES - 1][4];
  ckemon_hook_table *table;
  uint32_t ran; /* handlers whose pre was called */
  uint32_t reserved;
} call;

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == offset, #field " moved")
AT(struct ckemon_hook, original, CKEMON_HOOK_ORIGINAL);
AT(struct ckemon_hook, resume, CKEMON_HOOK_RESUME);
AT(struct ckemon_hook, table, CKEMON_HOOK_TABLE);
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
_Static_assert(sizeof(call) == CKEMON_CALL_SIZE, "the call changed its size");

ckemon_hook *ckemon_hook_create(const void *original, const void *resume) {
  ckemon_hook *hook = aligned_alloc(_Alignof(ckemon_hook), sizeof *hook);
  if (hook == NULL)
    return NULL;
  ckemon_lanes_prepare();
  memset(hook, 0, sizeof *hook);
  hook->original = original;
  hook->resume = resume;
  return hook;
}

ckemon_hook_table *ckemon_hook_table_create(const ckemon_hook *hook, const ckemon_hook_handler *handlers,
                                            uint32_t count) {
  ckemon_hook_table *table = malloc(sizeof *table + count * sizeof table->handlers[0]);
  if (table == NULL)
    return NULL;
  table->hook = hook;
  table->count = count;
  table->has_post = 0;
  for (uint32_t i = 0; i < count; i++) {
    table->handlers[i] = handlers[i];
    if (handlers[i].post != NULL)
      table->has_post = 1;
  }
  return table;
}

ckemon_hook_table *ckemon_hook_publish(ckemon_hook *hook, ckemon_hook_table *table) {
  return atomic_exchange(&hook->table, table);
}

void ckemon_hook_barrier(void) { ckemon_lanes_barrier(); }

int ckemon_hook_uses(const ckemon_hook *hook, const ckemon_hook_table *table) {
  return ckemon_lanes_count(table) != 0 || atomic_load(&hook->uncounted) != 0;
}

void ckemon_hook_table_destroy(ckemon_hook_table *table) { free(table); }

uint32_t ckemon_hook_departures(const ckemon_hook *hook) { return atomic_load(&hook->left); }

void ckemon_hook_await_departure(const ckemon_hook *hook, uint32_t seen) {
  ckemon_futex_wait(&hook->left, seen, 10000000);
}

uint32_t ckemon_hook_in_flight(const ckemon_hook *hook) {
  /* Sets that are being retired are not reachable from here; their calls are few and leave soon. */
  ckemon_hook_table *table = atomic_load(&hook->table);
  return (table == NULL ? 0 : ckemon_lanes_count(table)) + atomic_load(&hook->uncounted);
}

uint64_t ckemon_hook_suppressed(const ckemon_hook *hook) { return atomic_load(&hook->suppressed); }

int ckemon_hook_is_inside(const ckemon_hook *hook) {
  ckemon_lane *lane = ckemon_own_lane;
  for (int i = 0; lane != NULL && i < CKEMON_LANE_SLOTS; i++) {
    const ckemon_hook_table *table = atomic_load_explicit(&lane->inside[i], memory_order_relaxed);
    /* A table that this thread notes is not freed. */
    if (table != NULL && table->hook == hook)
      return 1;
  }
  return 0;
}

#if CKEMON_HOOKS
int ckemon_has_wide_vectors(void) { return __builtin_cpu_supports("avx") != 0; }
int ckemon_has_widest_vectors(void) { return __builtin_cpu_supports("avx512f") != 0; }

void ckemon_entry_thunk_0(void);
void ckemon_entry_thunk_16(void);
void ckemon_entry_thunk_32(void);
void ckemon_entry_thunk_64(void);
void ckemon_call_thunk_16(void);
void ckemon_call_thunk_32(void);
void ckemon_call_thunk_64(void);

const void *ckemon_hook_thunk(int is_call_site, int width) {
  void (*thunk)(void);
  if (width >= 64 && ckemon_has_widest_vectors())
    thunk = is_call_site ? ckemon_call_thunk_64 : ckemon_entry_thunk_64;
  else if (width >= 32 && ckemon_has_wide_vectors())
    thunk = is_call_site ? ckemon_call_thunk_32 : ckemon_entry_thunk_32;
  else if (width != 0 || is_call_site)
    thunk = is_call_site ? ckemon_call_thunk_16 : ckemon_entry_thunk_16;
  else
    thunk = ckemon_entry_thunk_0;
  return (const void *)(uintptr_t)thunk;
}

/* Called by the thunks. */
uint32_t ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame);
void ckemon_hook_leave(ckemon_hook *hook, ckemon_hook_frame *frame);

/* Ends the use of the call's handlers. */
static void leave(ckemon_hook *hook, call *call) {
  ckemon_hook_frame *frame = &call->frame;
  if (frame->lane != NULL)
    ckemon_lane_leave(frame->lane, frame->slot);
  else
    atomic_fetch_sub(&hook->uncounted, 1);
  /* The compiler keeps the order; the barrier of whoever retires makes the processor keep it where it matters. */
  atomic_signal_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&hook->table, memory_order_relaxed) != call->table) {
    atomic_fetch_add(&hook->left, 1);
    ckemon_futex_wake_all(&hook->left);
  }
}

/* Notes the call and returns the handlers that it uses until it leaves; NULL when there are none. */
static ckemon_hook_table *note(ckemon_hook *hook, ckemon_lane *lane, ckemon_hook_frame *frame) {
  ckemon_lane_reap(lane, (uintptr_t)frame);
  uint32_t slot = ckemon_lane_slot(lane);
  ckemon_hook_table *table = atomic_load_explicit(&hook->table, memory_order_acquire);
  if (slot == CKEMON_LANE_SLOTS) {
    frame->lane = NULL;
    atomic_fetch_add(&hook->uncounted, 1);
    return atomic_load(&hook->table);
  }
  frame->lane = lane;
  frame->slot = (uint16_t)slot;
  lane->frame[slot] = (uintptr_t)frame;
  lane->hint = slot + 1;
  for (;;) {
    /* First note, then look; whoever publishes first changes the table, then looks at the notes, with a barrier in all
     * threads in between. So a call that still finds the table it has noted is seen by whoever retires it. */
    atomic_store_explicit(&lane->inside[slot], table, memory_order_relaxed);
    if (ckemon_lanes_are_asymmetric)
      atomic_signal_fence(memory_order_seq_cst);
    else
      atomic_thread_fence(memory_order_seq_cst);
    ckemon_hook_table *now = atomic_load_explicit(&hook->table, memory_order_acquire);
    if (now == table)
      return table;
    table = now;
  }
}

/* Handlers of the hook run from now on; returns what must be put back when they have. */
static inline uint32_t begin_handlers(ckemon_lane *lane, const ckemon_hook *hook) {
  uint32_t depth = lane->depth;
  if (depth < CKEMON_LANE_RUNNING)
    lane->running[depth] = hook;
  lane->depth = depth + 1;
  return depth;
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

uint32_t ckemon_hook_enter(ckemon_hook *hook, ckemon_hook_frame *frame) {
  call *call = (struct call *)frame;
  ckemon_lane *lane = ckemon_own_lane;
  if (__builtin_expect(lane == NULL, 0)) {
    lane = ckemon_lane_make();
    /* What making a lane calls is not the program's doing. */
    if (lane == NULL) {
      atomic_fetch_add(&hook->suppressed, 1);
      return frame->state = CKEMON_STATE_BYPASS;
    }
  }
  if (__builtin_expect(lane->depth != 0, 0) && ckemon_lane_is_running(lane, hook)) {
    atomic_fetch_add(&hook->suppressed, 1);
    return frame->state = CKEMON_STATE_BYPASS;
  }
  ckemon_hook_table *table = note(hook, lane, frame);
  call->table = table;
  if (__builtin_expect(table == NULL, 0)) {
    leave(hook, call);
    return frame->state = CKEMON_STATE_BYPASS;
  }
  frame->skipped = 0;
  frame->result = 0;
  frame->result2 = 0;
  clear_words(frame->result_vectors, sizeof frame->result_vectors);
  uint32_t count = table->count, i = 0;
  int32_t answer = CKEMON_PROCEED;
  uint32_t depth = begin_handlers(lane, hook);
  clear_words(frame->scratch, sizeof frame->scratch);
  while (i < count && answer == CKEMON_PROCEED) {
    const ckemon_hook_handler *handler = &table->handlers[i];
    if (handler->pre != NULL)
      answer = handler->pre(handler->context, frame);
    i++;
    if (__builtin_expect(count > 1, 0)) {
      if (i < CKEMON_SCRATCHES)
        copy_words(call->scratch[i - 1], frame->scratch, sizeof frame->scratch);
      if (i < count && i < CKEMON_SCRATCHES)
        clear_words(frame->scratch, sizeof frame->scratch);
    }
  }
  lane->depth = depth;
  call->ran = i;
  if (__builtin_expect(answer != CKEMON_PROCEED, 0)) {
    frame->skipped = 1;
    return frame->state = CKEMON_STATE_SKIP;
  }
  if (table->has_post)
    return frame->state = CKEMON_STATE_CALL;
  /* The call goes on without us. */
  leave(hook, call);
  return frame->state = CKEMON_STATE_BYPASS;
}

void ckemon_hook_leave(ckemon_hook *hook, ckemon_hook_frame *frame) {
  call *call = (struct call *)frame;
  ckemon_hook_table *table = call->table;
  ckemon_lane *lane = ckemon_own_lane;
  uint32_t depth = lane == NULL ? 0 : begin_handlers(lane, hook);
  for (uint32_t i = call->ran; i-- > 0;) {
    const ckemon_hook_handler *handler = &table->handlers[i];
    if (__builtin_expect(table->count > 1, 0)) {
      if (i < CKEMON_SCRATCHES - 1)
        copy_words(frame->scratch, call->scratch[i], sizeof frame->scratch);
      else if (i >= CKEMON_SCRATCHES)
        clear_words(frame->scratch, sizeof frame->scratch);
    }
    if (handler->post != NULL)
      handler->post(handler->context, frame);
  }
  if (lane != NULL)
    lane->depth = depth;
  leave(hook, call);
}

/* The part of the unwinder's interface that is needed here; <unwind.h> belongs to the compiler. */
struct _Unwind_Context;
extern uintptr_t _Unwind_GetCFA(struct _Unwind_Context *) __attribute__((weak));
int ckemon_hook_personality(int version, int actions, uint64_t class, void *exception, struct _Unwind_Context *context)
    __attribute__((visibility("hidden")));

/* An exception, or the end of the thread, passes a thunk: post handlers learn that the call is over. */
int ckemon_hook_personality(int version, int actions, uint64_t class, void *exception,
                            struct _Unwind_Context *context) {
  (void)version, (void)class, (void)exception;
  enum { cleanup_phase = 2, continue_unwind = 8 };
  if ((actions & cleanup_phase) != 0 && _Unwind_GetCFA != NULL) {
    /* The thunk's rsp while the original runs. */
    ckemon_hook_frame *frame = (ckemon_hook_frame *)(_Unwind_GetCFA(context) + 128);
    if (frame->state == CKEMON_STATE_CALL) {
      frame->skipped = 2;
      frame->state = CKEMON_STATE_BYPASS;
      ckemon_hook_leave((ckemon_hook *)(uintptr_t)frame->hook, frame);
    }
  }
  return continue_unwind;
}
#else
int ckemon_has_wide_vectors(void) { return 0; }
int ckemon_has_widest_vectors(void) { return 0; }
const void *ckemon_hook_thunk(int is_call_site, int width) {
  (void)is_call_site, (void)width;
  return NULL;
}
#endif
