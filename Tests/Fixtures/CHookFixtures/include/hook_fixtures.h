/* SPDX-License-Identifier: Apache-2.0
 * Functions that tests put hooks on. Each suite uses its own, so that suites may run side by side. */
#ifndef HOOK_FIXTURES_H
#define HOOK_FIXTURES_H
#include <stdint.h>

/* The address of a function or label of this header by its name, as Swift can not take it; NULL for other names. */
const void *fixture_address(const char *name);

/* C, as the compiler makes it. */
#define HOOK_FIXTURE_ADD(name) long name(long a, long b, long c, long d, long e, long f);
HOOK_FIXTURE_ADD(fixture_add_calls)
HOOK_FIXTURE_ADD(fixture_add_skip)
HOOK_FIXTURE_ADD(fixture_add_change)
HOOK_FIXTURE_ADD(fixture_add_replace)
HOOK_FIXTURE_ADD(fixture_add_bytes)
HOOK_FIXTURE_ADD(fixture_add_threads)
HOOK_FIXTURE_ADD(fixture_add_cycles)
HOOK_FIXTURE_ADD(fixture_add_align)
HOOK_FIXTURE_ADD(fixture_add_twice)
HOOK_FIXTURE_ADD(fixture_add_maps)
HOOK_FIXTURE_ADD(fixture_add_scratch)
HOOK_FIXTURE_ADD(fixture_add_changed)
HOOK_FIXTURE_ADD(fixture_add_slow_hook)
HOOK_FIXTURE_ADD(fixture_add_stack)
HOOK_FIXTURE_ADD(fixture_add_busy)
HOOK_FIXTURE_ADD(fixture_add_sleepy)
HOOK_FIXTURE_ADD(fixture_add_order)
HOOK_FIXTURE_ADD(fixture_add_swapped)
HOOK_FIXTURE_ADD(fixture_add_pre)
HOOK_FIXTURE_ADD(fixture_add_nested)
HOOK_FIXTURE_ADD(fixture_add_dynamic)
HOOK_FIXTURE_ADD(fixture_add_watched)
long fixture_sum10(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j);
double fixture_sum8d(double a, double b, double c, double d, double e, double f, double g, double h);
long fixture_sum_variadic_of_4(void); /* calls fixture_sum_variadic with 4 doubles */
double fixture_sum_variadic(int count, ...);
typedef struct fixture_pair {
  long first, second;
} fixture_pair;
int fixture_long_double_works(void);   /* calls fixture_long_double: x87 argument and result */
int fixture_big_struct_works(void);    /* calls fixture_big_struct: by value, in and out */
extern const void *const fixture_long_double_address;
extern const void *const fixture_big_struct_address;
fixture_pair fixture_swap(long first, long second); /* returned in rax and rdx */
long fixture_fibonacci(long n);                     /* calls itself by its own address */
long fixture_depth(long n);                         /* n, by n calls inside each other */
void *fixture_return_address(void);                 /* what __builtin_return_address(0) says */
void fixture_wait_for(const int *flag, int *entered); /* both words are atomic */


/* Leaving by other ways than return. */
long fixture_jumps(long n);                /* longjmp for n > 0 */
long fixture_catches_jumps(long count);    /* calls it so often; returns how many jumps arrived */
void fixture_ends_thread(void *result);    /* pthread_exit */
int fixture_thread_ended(void);            /* 1: a thread that called it has ended with its result */

/* 24 words of arguments on the stack. */
typedef struct fixture_words {
  long words[24];
} fixture_words;
long fixture_sum30(long a, long b, long c, long d, long e, long f, const fixture_words stack);
long fixture_sum30_of_ones(void); /* 4906 */

/* How many return addresses of its callers point into [start, start + size). */
int fixture_frames_in(const void *start, uintptr_t size);

/* Assembly. Every function has CFI, except where its comment says so. */
void fixture_require_alignment(void); /* crashes (movaps) when the stack is not aligned for a C call */
void fixture_dirty_vectors(void);     /* overwrites xmm0...xmm15, and the upper halves where there are any */
int fixture_ymm_sum(const int32_t *eight); /* passes 8 numbers in ymm0 to fixture_ymm_callee; -1 without AVX */
void fixture_ymm_callee(void);

/* Call sites in the shapes of OSKext::start. Each calls target(first, second), stores the flags after `test` (or, for
 * _38, whether r14d is zero) in *zero and *sign, and returns the value as the code behind the call saw it, or
 * 0x7fffffff when a register that calls must keep has changed. */
int fixture_call_rbx(int (*target)(long, long), long first, long second, int *zero, int *sign);
int fixture_call_rbp50(int (*target)(long, long), long first, long second, int *zero, int *sign);
int fixture_call_rbp38(int (*target)(long, long), long first, long second, int *zero, int *sign);
int fixture_callee(long first, long second); /* first + second, dirties every register that it may */
int fixture_other_callee(long first, long second);

/* Each returns what the called function returns: fixture_callee(first, second). */
int fixture_call_memory(long first, long second);   /* call [rip + pointer], 6 bytes */
int fixture_call_direct(long first, long second);   /* call rel32 */
int fixture_call_r11(long first, long second);      /* call r11 */
int fixture_call_stack(long first, long second);    /* call [rsp + 8] */
int fixture_call_indexed(long first, long second);  /* call [r12 + rcx*8] */

/* Beginnings that need relocation; each has one long argument and is named for what it does. */
long fixture_endbr(long n);        /* endbr64 first; n + 1 */
long fixture_rip_load(long n);     /* mov rax, [rip + x] first; n + 1000 */
long fixture_short_jcc(long n);    /* test; jz behind the window; 7 for 0, n otherwise */
long fixture_short_jmp(long n);    /* jmp over some bytes; n * 2 */
long fixture_near_call(long n);    /* begins with call rel32 to a helper; n + 5 */
long fixture_jrcxz(long n, long, long, long counter); /* jrcxz first; counter == 0 ? 1 : 2 */
long fixture_big_immediate(long n); /* a 10 byte movabs first; n + 0x1122334455667788 */

/* The same for tests with threads. */
long fixture_live_endbr(long n);
long fixture_live_short_jcc(long n);
long fixture_live_loop_back(long n);
long fixture_watched_loop(long n);

/* Beginnings whose jumps lead back, and such that must be refused. */
long fixture_loop_back(long n);    /* a later jump leads to its second instruction */
long fixture_loop_entry(long n);   /* a later jump leads to its first instruction */
long fixture_jumped_into(long n);  /* a function in front of it jumps to its second instruction */
long fixture_jumps_into_next(long n);
long fixture_jumped_into_early(long n); /* a function in front of it jumps to its second byte */
long fixture_jumps_into_second_byte(long n);
void fixture_tiny(void);           /* ret, then padding */
void fixture_tiny_before_data(void); /* ret, then bytes that are no padding */
long fixture_call_next(void);      /* call to the next instruction; pop */
long fixture_without_cfi(long n);
extern const unsigned char fixture_without_cfi_end[];
void fixture_xbegin(void);

/* The call instructions of the functions of the same name. */
extern const unsigned char fixture_call_rbx_site[], fixture_call_rbp50_site[], fixture_call_rbp38_site[];
extern const unsigned char fixture_call_memory_site[], fixture_call_direct_site[], fixture_call_r11_site[];
extern const unsigned char fixture_call_stack_site[], fixture_call_indexed_site[], fixture_call_joined_site[];

/* A call site whose follower is the target of a jump. */
int fixture_call_joined(int (*target)(long, long), int skip);

#endif
