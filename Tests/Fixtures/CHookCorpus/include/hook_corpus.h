/* SPDX-License-Identifier: Apache-2.0
 * Functions whose beginnings are hard to hook, in assembly, and a way to call each of them with any arguments.
 *
 * All have the prototype `long name(long rdi, long rsi, void *rdx, long rcx, …)` with whatever else corpus_state holds:
 * rdx points to 64 bytes of memory, rcx is 0…7, r10 is the helper of corpus_helper_address. */
#ifndef HOOK_CORPUS_H
#define HOOK_CORPUS_H
#include <stddef.h>
#include <stdint.h>

/* What a case needs of the processor. */
#define CORPUS_ANY 0
#define CORPUS_AVX 1
#define CORPUS_AVX2 2
#define CORPUS_AVX512 3

/* How many events one call makes. */
#define CORPUS_ONE 0
#define CORPUS_PER_RCX 1 /* rcx + 1: the function calls itself by its name */

/* Whether a typed refusal is right. */
#define CORPUS_MUST_HOOK 0
#define CORPUS_NEEDS_TRAP 1  /* refused, unless breakpoints are allowed */
#define CORPUS_MUST_REFUSE 2 /* nobody who looks at the code alone can prove that a hook is right */

typedef struct corpus_case {
  const char *name;
  const void *function;
  const void *companion; /* shares code with it and is called while it is hooked; or NULL */
  int32_t feature, events, refusal;
} corpus_case;

/* What a function gets and leaves. Offsets are known to call.S. */
typedef struct corpus_state {
  uint64_t integers[6]; /* rdi, rsi, rdx, rcx, r8, r9 */
  uint64_t rax, r10;
  uint64_t stack[8];
  uint64_t vectors[8][4]; /* ymm0…ymm7 */
  uint64_t result[2];     /* rax, rdx */
  uint64_t result_vectors[2][4];
  uint64_t wide;          /* 1: load and store ymm, 0: xmm */
  uint64_t kept;          /* 1: every register that must be kept was kept, and the stack is where it was */
} corpus_state;

/* The cases; none on other processors. */
size_t corpus_count(void);
const corpus_case *corpus_case_at(size_t index);
/* Whether this processor and system can run a case. */
int corpus_can_run(const corpus_case *item);
const void *corpus_helper_address(void);
/* Calls a function with a state and writes what it leaves into it. */
void corpus_call(const void *function, corpus_state *state);

/* Runs a body in a forked child, which is killed after so many seconds. What the body writes to *progress is seen by the
 * caller, also when the child dies. Returns the child's status as wait has it, or -1. */
int corpus_in_child(void (*body)(void *context, uint32_t *progress), void *context, uint32_t seconds,
                    uint32_t *progress);
#endif
