/* SPDX-License-Identifier: Apache-2.0
 * The machine side of a hook: what a stub jumps to, and what handlers see. x86-64 only; elsewhere CKEMON_HOOKS is 0.
 *
 * A stub (made by KemonHooks in near memory) ends up in one of two thunks. Both keep every register that may hold an
 * argument in a frame, ask the pre handler, call the original with those arguments, ask the post handler, and return
 * the result that the frame then holds. The original is called, not jumped to: every call has its return, so that
 * unwinding and shadow stacks work, and no table of stolen return addresses exists. */
#ifndef CKEMON_HOOK_H
#define CKEMON_HOOK_H

#if defined(__x86_64__) && defined(__linux__)
#define CKEMON_HOOKS 1
#else
#define CKEMON_HOOKS 0
#endif

/* Offsets that the thunks (hook_thunks.S) use; hook.c checks them. */
#define CKEMON_FRAME_SIZE 480
#define CKEMON_FRAME_RDI 0
#define CKEMON_FRAME_RSI 8
#define CKEMON_FRAME_RDX 16
#define CKEMON_FRAME_RCX 24
#define CKEMON_FRAME_R8 32
#define CKEMON_FRAME_R9 40
#define CKEMON_FRAME_RAX 48
#define CKEMON_FRAME_R10 56
#define CKEMON_FRAME_RESULT 64
#define CKEMON_FRAME_RESULT2 72
#define CKEMON_FRAME_TARGET 80
#define CKEMON_FRAME_RETURN_ADDRESS 88
#define CKEMON_FRAME_STACK_ARGUMENTS 96
#define CKEMON_FRAME_HOOK 104
#define CKEMON_FRAME_SCRATCH 112
#define CKEMON_FRAME_LANE 144
#define CKEMON_FRAME_STATE 156
#define CKEMON_FRAME_VECTORS 160
#define CKEMON_FRAME_RESULT_VECTORS 416

#define CKEMON_HOOK_ORIGINAL 0
#define CKEMON_HOOK_RESUME 8
#define CKEMON_HOOK_FLAGS 16

/* ckemon_hook flags: keep all 32 bytes of the vector registers, not 16. */
#define CKEMON_HOOK_WIDE 1

/* What ckemon_hook_enter decided. */
#define CKEMON_STATE_BYPASS 0
#define CKEMON_STATE_CALL 1
#define CKEMON_STATE_SKIP 2

/* Words of stack arguments that are passed on to the original. */
#define CKEMON_STACK_WORDS 16

/* A call-site stub calls its thunk so that the return address lies this far behind the slot that names its hook. */
#define CKEMON_STUB_RETURN 48

/* A pre handler's answer. */
#define CKEMON_PROCEED 0
#define CKEMON_SKIP 1

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

/* One call through a hook. Lives on the stack of the calling thread, from the pre handler to the end of the post
 * handler. Which arguments mean something depends on the prototype of the hooked function. */
typedef struct ckemon_hook_frame {
  uint64_t rdi, rsi, rdx, rcx, r8, r9; /* integer arguments; a pre handler may change them */
  uint64_t rax;                        /* number of vector arguments of a variadic call */
  uint64_t r10;                        /* static chain */
  uint64_t result, result2;            /* rax and rdx of the result; post may replace them, pre sets them to skip */
  uint64_t target;                     /* address that is called as the original */
  uint64_t return_address;             /* where the call returns to, as the program has it */
  uint64_t *stack_arguments;           /* the caller's; the first CKEMON_STACK_WORDS are passed on after pre */
  const void *hook;                    /* the ckemon_hook */
  uint64_t scratch[4];                 /* zero at pre, kept for post: what handlers want to remember of this call */
  void *CKEMON_NULLABLE lane;          /* of the thunk */
  uint32_t skipped;                    /* 1 in post: the original was not called */
  uint16_t state, slot;                /* of the thunk */
  ckemon_vector vectors[8];            /* vector arguments; a pre handler may change them */
  ckemon_vector result_vectors[2];     /* xmm0 and xmm1 of the result; post may replace them */
} ckemon_hook_frame;

/* Called before the original, on the thread that calls it. Returns CKEMON_PROCEED, or CKEMON_SKIP: then the original
 * is not called and the caller gets the frame's result. Must not throw, longjmp or detach its own hook. */
typedef int32_t (*ckemon_pre_handler)(void *CKEMON_NULLABLE context, ckemon_hook_frame *frame);

/* Called for every call whose pre handler was called, after the original or instead of it. Same rules. */
typedef void (*ckemon_post_handler)(void *CKEMON_NULLABLE context, ckemon_hook_frame *frame);

/* A place that can be hooked, again and again. It is never freed: a thread may be on its way to it at any time. */
typedef struct ckemon_hook ckemon_hook;

/* Makes an unarmed hook, for ever; NULL without memory. `original` is the relocated code of an entry hook (NULL for a call site,
 * whose stub brings the target), `resume` the address behind a hooked call (NULL for an entry). Any thread. */
ckemon_hook *CKEMON_NULLABLE ckemon_hook_create(const void *CKEMON_NULLABLE original, const void *CKEMON_NULLABLE resume,
                                                uint32_t flags);

/* Sets the handlers (either may be NULL) and lets calls that arrive from now on see them. The hook must be unarmed and
 * have nobody inside: fresh, or disarmed. One thread at a time. */
void ckemon_hook_arm(ckemon_hook *hook, ckemon_pre_handler CKEMON_NULLABLE pre, ckemon_post_handler CKEMON_NULLABLE post,
                     void *CKEMON_NULLABLE context);

/* Sends later calls straight to the original, and returns when the last call in flight has left its post handler. Must
 * not be called from inside the hook. */
void ckemon_hook_disarm(ckemon_hook *hook);

/* How many calls are between the beginning of pre and the end of post right now. Any thread. */
uint32_t ckemon_hook_in_flight(const ckemon_hook *hook);

/* Whether the calling thread is inside a call through the hook. Any thread. */
int ckemon_hook_is_inside(const ckemon_hook *hook);

/* Whether the processor and the system keep 32-byte vector registers. Any thread. */
int ckemon_has_wide_vectors(void);

#if CKEMON_HOOKS
/* Where stubs go; not to be called from C. An entry stub jumps here with the hook in r11. */
void ckemon_entry_thunk(void);
/* A call-site stub calls this with the target in r11 (see CKEMON_STUB_RETURN). */
void ckemon_call_thunk(void);
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif
#endif
#endif
