/* SPDX-License-Identifier: Apache-2.0
 * Who is inside which hook. Every thread notes the calls that it is in on a page of its own, so that threads share
 * nothing on the path of a hooked call; whoever takes handlers out looks at all pages.
 *
 * A lane is a stack of notes. Its thread alone pushes and pops, by ckemon_lane_push and ckemon_lane_leave or, in the
 * plain case, by the same stores in hook_thunks.S: frame, table, top, and then a look whether a signal handler used
 * the note in between. A note counts while it lies below the top, so that one store ends a call. */
#ifndef CKEMON_HOOK_LANES_H
#define CKEMON_HOOK_LANES_H

/* What the thunks know of a lane and a note; hook_lanes.c checks it. */
#define CKEMON_LANE_SIZE 4096
#define CKEMON_LANE_TOP 0
#define CKEMON_LANE_LIMIT 8
#define CKEMON_NOTE_FRAME 8
#define CKEMON_NOTE_SIZE 16

/* In the table of a note: handlers of the call run now; the call was made by a handler, maybe not directly. */
#define CKEMON_NOTE_RUNNING 1
#define CKEMON_NOTE_INSIDE 2
#define CKEMON_NOTE_FLAGS 3

#ifndef __ASSEMBLER__
#include <stdatomic.h>
#include <stdint.h>

/* As many hooked calls of one thread inside each other are noted; more are counted elsewhere. */
#define CKEMON_LANE_NOTES 246
/* As many handlers of calls without a note are known, for the guard against calls of their own function. */
#define CKEMON_LANE_RUNNING 12

/* One call. All zero when it was left while calls above it were not (coroutines do that). */
typedef struct ckemon_note {
  atomic_uintptr_t table; /* the handlers that the call uses, and flags */
  atomic_uintptr_t frame; /* where the call has its frame */
} ckemon_note;

/* Read by other threads: top and the tables below it. The rest is its thread's only. */
typedef struct ckemon_lane {
  _Atomic(ckemon_note *) top;
  ckemon_note *limit;                       /* where the thunks stop to note calls by themselves */
  struct ckemon_lane *next;
  atomic_uint owned;                        /* 1: a thread has it */
  uint32_t depth;                           /* how many are in running */
  uintptr_t stack_low, stack_high;          /* its thread's own stack */
  const void *running[CKEMON_LANE_RUNNING]; /* hooks whose handlers run for calls without a note */
  ckemon_note bottom;                       /* is above every frame */
  ckemon_note notes[CKEMON_LANE_NOTES];
} ckemon_lane;

extern _Thread_local ckemon_lane *ckemon_own_lane __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* 1 when ckemon_lanes_barrier does the work of a fence in every thread. */
extern int ckemon_lanes_are_asymmetric __attribute__((visibility("hidden")));

/* To be called once before any lane is used; more often is harmless. */
void ckemon_lanes_prepare(void);

/* The calling thread's lane, made now; NULL without memory, or when it is just being made. */
ckemon_lane *ckemon_lane_make(void);

/* How often the table is noted in all lanes. */
uint32_t ckemon_lanes_count(const void *table);

/* Orders what every thread did before against what it does after, as a fence in each of them would. */
void ckemon_lanes_barrier(void);

/* A free note for a call with this frame, not pushed yet; NULL when all are in use. Drops the notes of calls that were
 * left by longjmp: frames below that of a new call on the same stack are gone. */
ckemon_note *ckemon_lane_find(ckemon_lane *lane, uintptr_t frame);

/* Pushes a note. A signal handler may come in anywhere and use the same note: its calls are over when it returns, and
 * the frame tells. Returns 0 then: to be done again. */
static inline int ckemon_lane_push(ckemon_lane *lane, ckemon_note *note, uintptr_t table, uintptr_t frame) {
  atomic_store_explicit(&note->frame, frame, memory_order_relaxed);
  atomic_store_explicit(&note->table, table, memory_order_release);
  atomic_store_explicit(&lane->top, note + 1, memory_order_release);
  if (ckemon_lanes_are_asymmetric)
    atomic_signal_fence(memory_order_seq_cst);
  else
    atomic_thread_fence(memory_order_seq_cst);
  return atomic_load_explicit(&note->frame, memory_order_relaxed) == frame;
}

/* Ends a call, also one that is left on another thread than it began on. */
void ckemon_lane_leave(ckemon_note *note, uintptr_t frame);
#endif
#endif
