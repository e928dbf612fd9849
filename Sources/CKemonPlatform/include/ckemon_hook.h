/* SPDX-License-Identifier: Apache-2.0
 * The machine side of a hook: what a stub jumps to, and what handlers see. x86-64 only; elsewhere CKEMON_HOOKS is 0.
 *
 * A stub (made by KemonHooks in near memory) ends up in a thunk. It keeps every register that may hold an argument in a
 * frame and asks the pre handlers. When there are post handlers it calls the original with those arguments, asks them,
 * and returns the result that the frame then holds: every call has its return, so that unwinding and shadow stacks
 * work, and no table of stolen return addresses exists. Without post handlers it jumps to the original. */
#ifndef CKEMON_HOOK_H
#define CKEMON_HOOK_H

#if defined(__x86_64__) && defined(__linux__)
#define CKEMON_HOOKS 1
#else
#define CKEMON_HOOKS 0
#endif

/* Offsets that the thunks (hook_thunks.S) use; hook_call.c checks them. */
#define CKEMON_FRAME_SIZE 480
#define CKEMON_FRAME_RESULT_VECTORS 0
#define CKEMON_FRAME_RDI 64
#define CKEMON_FRAME_RSI 72
#define CKEMON_FRAME_RDX 80
#define CKEMON_FRAME_RCX 88
#define CKEMON_FRAME_R8 96
#define CKEMON_FRAME_R9 104
#define CKEMON_FRAME_R10 112
#define CKEMON_FRAME_RETURN_ADDRESS 120
#define CKEMON_FRAME_RESULT 128
#define CKEMON_FRAME_RESULT2 136
#define CKEMON_FRAME_SCRATCH 144
#define CKEMON_FRAME_SKIPPED 176
#define CKEMON_FRAME_STATE 180
#define CKEMON_FRAME_RAX 184
#define CKEMON_FRAME_TARGET 192
#define CKEMON_FRAME_HOOK 200
#define CKEMON_FRAME_STACK_ARGUMENTS 208
#define CKEMON_FRAME_VECTORS 224

#define CKEMON_HOOK_ORIGINAL 0
#define CKEMON_HOOK_SELF 8
#define CKEMON_HOOK_RESUME 16
#define CKEMON_HOOK_TABLE 24

/* Whether handlers are asked when a call is over. */
#define CKEMON_STATE_CALL 0
#define CKEMON_STATE_BYPASS 1

/* Words of stack arguments that are passed on to the original. */
#define CKEMON_STACK_WORDS 24

/* A call-site stub calls its thunk so that the return address lies this far behind the slot that names its hook. */
#define CKEMON_STUB_RETURN 48

/* A pre handler's answer. */
#define CKEMON_PROCEED 0
#define CKEMON_SKIP 1

/* Handlers of one function that have a scratch of their own. */
#define CKEMON_SCRATCHES 4

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#define CKEMON_NULLABLE _Nullable
#else
#define CKEMON_NULLABLE
#endif

/* A vector register: as a float or double in the low bytes, or as 16 or 32 bytes. */
typedef struct ckemon_vector {
  uint64_t lane[4];
} ckemon_vector;

/* One call through a hook. Lives on the stack of the calling thread, from the first pre handler to the end of the last
 * post handler. Which arguments mean something depends on the prototype of the hooked function. */
typedef struct ckemon_hook_frame {
  ckemon_vector result_vectors[2];     /* xmm0 and xmm1 of the result; post may replace them */
  uint64_t rdi, rsi, rdx, rcx, r8, r9; /* integer arguments; a pre handler may change them */
  uint64_t r10;                        /* static chain */
  uint64_t return_address;             /* where the call returns to, as the program has it */
  uint64_t result, result2;            /* rax and rdx of the result; post may replace them, pre sets them to skip */
  uint64_t scratch[4];                 /* zero at pre, kept for post: what a handler wants to remember of this call; for the first CKEMON_SCRATCHES handlers */
  uint32_t skipped;                    /* in post: 1 = the original was not called, 2 = an exception left it */
  uint32_t state;                      /* of the thunk */
  uint64_t rax;                        /* number of vector arguments of a variadic call; 0 when no vectors are kept */
  uint64_t target;                     /* address that is called as the original */
  const void *hook;                    /* the ckemon_hook */
  uint64_t *stack_arguments;           /* the caller's; the first CKEMON_STACK_WORDS are passed on after pre */
  uint64_t ran;                        /* of several handlers those whose pre was called */
  ckemon_vector vectors[8];            /* vector arguments; a pre handler may change them */
} ckemon_hook_frame;

/* Called before the original, on the thread that calls it. Returns CKEMON_PROCEED, or CKEMON_SKIP: then no later pre
 * handler and not the original is called, and the caller gets the frame's result. Must not throw, longjmp or detach its
 * own hook, and returns on the thread that it was called on. When it calls the hooked function itself, no handler of that
 * function sees it. */
typedef int32_t (*ckemon_pre_handler)(void *CKEMON_NULLABLE context, ckemon_hook_frame *frame);

/* Called for every call whose pre handler was called, after the original or instead of it. Same rules. */
typedef void (*ckemon_post_handler)(void *CKEMON_NULLABLE context, ckemon_hook_frame *frame);

/* The handlers of one hook. */
typedef struct ckemon_hook_handler {
  ckemon_pre_handler CKEMON_NULLABLE pre;
  ckemon_post_handler CKEMON_NULLABLE post;
  void *CKEMON_NULLABLE context;
} ckemon_hook_handler;

/* A place that can be hooked, again and again. It is never freed: a thread may be on its way to it at any time. */
typedef struct ckemon_hook ckemon_hook;

/* Makes a hook without handlers, for ever; NULL without memory. `original` is the relocated code of an entry hook (NULL
 * for a call site, whose stub brings the target), `resume` the address behind a hooked call (NULL for an entry). Any thread. */
ckemon_hook *CKEMON_NULLABLE ckemon_hook_create(const void *CKEMON_NULLABLE original, const void *CKEMON_NULLABLE resume);

/* A set of handlers that never changes. */
typedef struct ckemon_hook_table ckemon_hook_table;

/* Makes a set of handlers for a hook, pre in this order, post in the opposite one; NULL without memory. */
ckemon_hook_table *CKEMON_NULLABLE ckemon_hook_table_create(const ckemon_hook *hook, const ckemon_hook_handler *handlers,
                                                            uint32_t count);

/* Lets calls that arrive from now on see these handlers, or nobody for NULL; calls that are under way keep those that they
 * have. Returns the set that was in force. One thread at a time for one hook. */
ckemon_hook_table *CKEMON_NULLABLE ckemon_hook_publish(ckemon_hook *hook, ckemon_hook_table *CKEMON_NULLABLE table);

/* Orders what was published before against what calls note: to be called between ckemon_hook_publish and
 * ckemon_hook_uses. */
void ckemon_hook_barrier(void);

/* Whether a call may still use a set that is not in force any more. Any thread. */
int ckemon_hook_uses(const ckemon_hook *hook, const ckemon_hook_table *table);

/* Frees a set that no call uses. */
void ckemon_hook_table_destroy(ckemon_hook_table *table);

/* Changes when a call has left a set that is not in force. */
uint32_t ckemon_hook_departures(const ckemon_hook *hook);

/* Sleeps until that changes, or a while. */
void ckemon_hook_await_departure(const ckemon_hook *hook, uint32_t seen);

/* How many calls are between the beginning of pre and the end of post right now. Any thread. */
uint32_t ckemon_hook_in_flight(const ckemon_hook *hook);

/* How many calls no handler saw, because a handler of the same function made them. Any thread. */
uint64_t ckemon_hook_suppressed(const ckemon_hook *hook);

/* Whether the calling thread is inside a call through the hook. Any thread. */
int ckemon_hook_is_inside(const ckemon_hook *hook);

/* The thunk for a stub that keeps `width` bytes (0, 16, 32 or 64, or fewer when the processor has fewer) of each of the
 * first `vectors` vector registers and passes `words` words of stack arguments on, or more of each. An entry stub jumps
 * there with the hook in r11, a call-site stub calls it with the target in r11 (see CKEMON_STUB_RETURN). NULL where hooks
 * are not supported, and for more than 8 registers or CKEMON_STACK_WORDS words. */
const void *CKEMON_NULLABLE ckemon_hook_thunk(int is_call_site, int width, int vectors, int words);

/* Whether the processor and the system keep vector registers of 32 and 64 bytes. Any thread. */
int ckemon_has_wide_vectors(void);
int ckemon_has_widest_vectors(void);

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif
#endif
#endif
