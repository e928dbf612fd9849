/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/hook.h: calls your code before and after any function of your own process. x86-64 Linux.
 *
 * Not part of the plugin ABI: link with -lKemonHooks. Every function may be called from any thread, but not from a
 * handler of the hook that it changes. 0 means success; everything else is a KEMON_HOOK_E code, nothing has changed
 * then, and kemon_hook_error() has the text.
 *
 *   static int32_t before(void *context, kemon_hook_frame *call) {
 *     call->rdi = 1;
 *     return KEMON_HOOK_PROCEED;
 *   }
 *   kemon_hook *hook;
 *   if (kemon_hook_attach_entry((const void *)function, NULL, before, NULL, NULL, &hook) != 0)
 *     puts(kemon_hook_error());
 *   kemon_hook_detach(hook);
 */
#ifndef KEMON_HOOK_H
#define KEMON_HOOK_H

#include "base.h"

KEMON_C_BEGIN

/* Why nothing was done. */
#define KEMON_HOOK_E_UNSUPPORTED 1        /* not an x86-64 Linux system */
#define KEMON_HOOK_E_UNKNOWN_EXTENT 2     /* nobody knows where the function ends: give its extent */
#define KEMON_HOOK_E_NOT_CODE 3           /* not code of this process that may be changed; the vDSO for instance */
#define KEMON_HOOK_E_UNDECODABLE 4        /* bytes that are no known instruction */
#define KEMON_HOOK_E_NOT_A_CALL 5         /* no near call stands there */
#define KEMON_HOOK_E_TOO_SHORT 6          /* the function has no room for a jump */
#define KEMON_HOOK_E_BRANCH_INTO_WINDOW 7 /* a jump that can not be redirected leads between the replaced instructions */
#define KEMON_HOOK_E_POSITION_DEPENDENT 8 /* an instruction that means something else elsewhere */
#define KEMON_HOOK_E_OUT_OF_REACH 9       /* no memory is free near enough */
#define KEMON_HOOK_E_ALREADY_HOOKED 10    /* a hook of another kind stands there */
#define KEMON_HOOK_E_NEEDS_QUIESCENCE 11  /* only safe with KEMON_HOOK_QUIESCENT */
#define KEMON_HOOK_E_INSIDE_HANDLER 12    /* the calling thread is in a call through the hook */
#define KEMON_HOOK_E_CHANGED 13           /* somebody else has changed the hooked bytes */
#define KEMON_HOOK_E_SYSTEM 14            /* the system refused */
#define KEMON_HOOK_E_BUSY 15              /* the other threads could not be stopped in time: try again */
#define KEMON_HOOK_E_NOT_FOUND 16         /* no such library or function, or no hook there */
#define KEMON_HOOK_E_ARGUMENT 17          /* a NULL where none may be */
#define KEMON_HOOK_E_PROTOTYPE 18         /* a prototype that can not be read, or not be served */

/* What a pre handler answers. */
#define KEMON_HOOK_PROCEED 0
#define KEMON_HOOK_SKIP 1

/* A vector register: a float or double in the low bytes, or 16 or 32 bytes. */
typedef struct kemon_hook_vector {
  uint64_t lane[4];
} kemon_hook_vector;

/* One call through a hook. Lives on the calling thread's stack from the first pre handler to the last post handler. */
typedef struct kemon_hook_frame {
  kemon_hook_vector result_vectors[2]; /* xmm0 and xmm1 of the result; post may replace them */
  uint64_t rdi, rsi, rdx, rcx, r8, r9; /* integer arguments; pre may change them */
  uint64_t r10;                        /* static chain */
  uint64_t return_address;             /* where the call returns to, as the program has it */
  uint64_t result, result2;            /* rax and rdx of the result; post may replace them, pre sets them to skip */
  uint64_t scratch[4];                 /* zero at pre, kept for post of the same hook, for the first four of a function */
  uint32_t skipped;                    /* in post: 1 = the original was not called, 2 = an exception left it */
  uint32_t engine_state;               /* of the engine */
  uint64_t rax;                        /* number of vector arguments of a variadic call; 0 when no vectors are kept */
  uint64_t target;                     /* address that is called as the original */
  const void *hook;                    /* of the engine */
  uint64_t *stack_arguments;           /* the caller's; the original gets those that pre leaves there */
  uint64_t engine;                     /* of the engine */
  kemon_hook_vector vectors[8];        /* vector arguments; pre may change them */
} kemon_hook_frame;

/* Called before the original on the thread that calls it, any number of threads at a time. Returns KEMON_HOOK_PROCEED,
 * or KEMON_HOOK_SKIP: then no later pre handler and not the original is called, and the caller gets the frame's result.
 * A call of the hooked function from a handler is not seen by the handlers; it is counted as suppressed. A handler returns
 * on the thread that it was called on. */
typedef int32_t (*kemon_hook_pre)(void *context, kemon_hook_frame *frame);

/* Called once for every call whose pre handler was called, after the original or instead of it; the handlers of a
 * function in reverse order. */
typedef void (*kemon_hook_post)(void *context, kemon_hook_frame *frame);

/* No other thread is inside the replaced instructions or in a call that one of them makes: nobody is stopped. */
#define KEMON_HOOK_QUIESCENT 1u
/* The function takes up to six integers or pointers and returns such: no vector register is kept, which is faster. */
#define KEMON_HOOK_INTEGERS_ONLY 2u
/* Vector registers are kept whole (64 bytes); otherwise 32 bytes of each. */
#define KEMON_HOOK_WIDEST_VECTORS 4u
/* Refuse a function that is hooked already. */
#define KEMON_HOOK_EXCLUSIVE 8u
/* Hook by a breakpoint (int3) when there is no other way; each call takes some microseconds. Only for processes in which
 * no thread that calls the function ever blocks SIGTRAP: the system ends the process then. Other breakpoints go to the
 * handler that was set for SIGTRAP before; one that is set later takes the hook's away. */
#define KEMON_HOOK_TRAPS 16u

typedef struct kemon_hook_options {
  uint32_t size;        /* sizeof(kemon_hook_options) */
  uint32_t flags;       /* KEMON_HOOK_QUIESCENT … KEMON_HOOK_TRAPS; the first hook of a function decides on vectors */
  int32_t order;        /* among the hooks of one function: lower is called earlier before, later after */
  uint32_t reserved;    /* 0 */
  const void *function; /* the function that the address belongs to, with its size; NULL to look it up */
  uint64_t function_size;
} kemon_hook_options;

/* A hook that is in place. */
typedef struct kemon_hook kemon_hook;

/* Puts a hook at the beginning of a function. `options` may be NULL; one of pre and post may be. */
int32_t kemon_hook_attach_entry(const void *function, const kemon_hook_options *options, kemon_hook_pre pre,
                                kemon_hook_post post, void *context, kemon_hook **hook);

/* The same for a function by its name; library is the name or path of one that is loaded, or NULL for any. */
int32_t kemon_hook_attach_symbol(const char *library, const char *symbol, const kemon_hook_options *options,
                                 kemon_hook_pre pre, kemon_hook_post post, void *context, kemon_hook **hook);

/* Puts a hook at one call instruction. */
int32_t kemon_hook_attach_call(const void *call, const kemon_hook_options *options, kemon_hook_pre pre,
                               kemon_hook_post post, void *context, kemon_hook **hook);

/* Takes a hook out and frees it. When this returns no handler of it runs or will run; the bytes are as they were when
 * it was the last one there. */
int32_t kemon_hook_detach(kemon_hook *hook);

/* What a hooked function has seen. */
typedef struct kemon_hook_statistics {
  uint32_t size;       /* set by the caller to sizeof(kemon_hook_statistics) */
  uint32_t in_flight;  /* calls between the beginning of pre and the end of post, of all hooks of the function */
  uint64_t suppressed; /* calls that a handler of the function made, and no handler saw */
} kemon_hook_statistics;
int32_t kemon_hook_stats(const kemon_hook *hook, kemon_hook_statistics *statistics);

/* Lets every call of a function go to `detour` instead, which has the same prototype. `*original` calls the function as
 * it was, for ever; it is set before the first call arrives at the detour. */
int32_t kemon_hook_replace(const void *function, const void *detour, void **original);

/* Undoes a replace. Calls may still be inside the detour when this returns. */
int32_t kemon_hook_restore(const void *function);

/* Many changes as one: all of them or none, with one stop of the other threads. */
typedef struct kemon_hook_transaction kemon_hook_transaction;
kemon_hook_transaction *kemon_hook_begin(void);
void kemon_hook_add_attach(kemon_hook_transaction *transaction, const void *function,
                           const kemon_hook_options *options, kemon_hook_pre pre, kemon_hook_post post, void *context,
                           kemon_hook **hook);
void kemon_hook_add_replace(kemon_hook_transaction *transaction, const void *function, const void *detour,
                            void **original);
void kemon_hook_add_detach(kemon_hook_transaction *transaction, kemon_hook *hook);
/* Does it and frees the transaction. The hooks of a failed transaction are NULL; detached hooks are freed on success. */
int32_t kemon_hook_commit(kemon_hook_transaction *transaction);
/* Frees a transaction that shall not be done. */
void kemon_hook_abandon(kemon_hook_transaction *transaction);

/* A function whose prototype is known only when the program runs. Its text is result(argument, ...) of
 *   void bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 f80 (long double) ptr cstr
 * and {i64, f64} for a structure by value; ... stands where the variable arguments of one kind of call begin. What can
 * not be read is KEMON_HOOK_E_PROTOTYPE, and the text of the error has the column. */

/* arguments[i] points to the i-th argument, and result to the result, as C has them in memory: bytes of the type, which
 * may be changed. Pre's result counts when it answers KEMON_HOOK_SKIP; post's is NULL when an exception left the
 * function. The pointers are good until the handler returns. */
typedef int32_t (*kemon_hook_dynamic_pre)(void *context, void **arguments, void *result);
typedef void (*kemon_hook_dynamic_post)(void *context, void **arguments, void *result);

/* Puts a hook at the beginning of a function. */
int32_t kemon_hook_attach_dynamic(const void *function, const char *prototype, const kemon_hook_options *options,
                                  kemon_hook_dynamic_pre pre, kemon_hook_dynamic_post post, void *context,
                                  kemon_hook **hook);

/* Takes a function's place: sets the result. kemon_prototype_call(…, original, arguments, result) calls the function as
 * it was. */
typedef void (*kemon_hook_detour)(void *context, const void *original, void **arguments, void *result);

/* Lets every call of a function go to a detour; kemon_hook_restore undoes it. Calls may be on their way to the detour
 * then: context stays good for ever. */
int32_t kemon_hook_replace_dynamic(const void *function, const char *prototype, kemon_hook_detour detour,
                                   void *context);

/* Calls functions of a prototype; the result has room for 16 bytes at least. Any number of threads at a time. */
typedef struct kemon_prototype kemon_prototype;
int32_t kemon_prototype_create(const char *text, kemon_prototype **prototype);
void kemon_prototype_call(const kemon_prototype *prototype, const void *function, void **arguments, void *result);
void kemon_prototype_free(kemon_prototype *prototype);

/* How a function is made hookable. */
#define KEMON_HOOK_TIER_REFUSED 0
#define KEMON_HOOK_TIER_WINDOW 1  /* the instructions under the jump are moved */
#define KEMON_HOOK_TIER_COPY 2    /* a jump of the function leads back there: the whole function is copied */
#define KEMON_HOOK_TIER_PADDING 3 /* shorter than the jump; the padding behind it is used */
#define KEMON_HOOK_TIER_TRAP 4    /* a breakpoint, with KEMON_HOOK_TRAPS only */
#define KEMON_HOOK_TIER_CAVE 5    /* a short jump to a long one in the padding between two functions nearby */

/* What a hook would do to a function; nothing is changed to find out. */
typedef struct kemon_hook_plan_info {
  uint32_t size;             /* set by the caller to sizeof(kemon_hook_plan_info) */
  uint32_t tier;             /* KEMON_HOOK_TIER */
  uint64_t function;         /* first byte of the function */
  uint64_t function_size;    /* its bytes, by the unwind information or the symbols */
  uint64_t patched;          /* where the jump goes: behind endbr64 */
  uint32_t window_size;      /* whole instructions that the jump takes the place of, padding included */
  uint32_t instruction_count;
  uint64_t moved;            /* where the moved instructions would stand */
  uint32_t moved_size;       /* their bytes, literals included */
  uint32_t needs_stop;       /* 1: other threads are stopped for an instant, as several instructions are replaced */
  uint64_t resume;           /* where the moved instructions go on: the end of the window */
} kemon_hook_plan_info;

/* Looks at a function and writes what would stand at `moved` to `code`, at most `capacity` bytes (plan->moved_size says
 * how many there are). A refusal is a KEMON_HOOK_E code and tier 0. */
int32_t kemon_hook_plan(const void *function, const kemon_hook_options *options, kemon_hook_plan_info *plan,
                        uint8_t *code, uint64_t capacity);

/* The text of the calling thread's last failure; valid until its next one. Never NULL. */
const char *kemon_hook_error(void);

KEMON_C_END

#endif
