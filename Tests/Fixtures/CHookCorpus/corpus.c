/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_corpus.h"
#include "rows.h"

#if defined(__x86_64__) && defined(__linux__)
#define AT(field, offset) _Static_assert(offsetof(corpus_state, field) == offset, #field " moved")
AT(rax, 48);
AT(stack, 64);
AT(vectors, 128);
AT(result, 384);
AT(result_vectors, 400);
AT(wide, 464);
AT(kept, 472);

#define DECLARE(name, feature, events, refusal, companion) extern const unsigned char corpus_##name[];
HOOK_CORPUS(DECLARE)
extern const unsigned char corpus_two_entries_second[], corpus_jumps_to_second_byte[], corpus_helper[];
extern const unsigned char corpus_behind_one[], corpus_behind_two[], corpus_behind_three[], corpus_behind_four[];
extern const unsigned char corpus_behind_pad[];

#define CASE(name, feature, events, refusal, companion) {#name, corpus_##name, companion, feature, events, refusal},
static const corpus_case cases[] = {HOOK_CORPUS(CASE)};

size_t corpus_count(void) { return sizeof cases / sizeof cases[0]; }
const corpus_case *corpus_case_at(size_t index) { return &cases[index]; }
const void *corpus_helper_address(void) { return corpus_helper; }

int corpus_can_run(const corpus_case *item) {
  switch (item->feature) {
  case CORPUS_AVX:
    return __builtin_cpu_supports("avx") != 0;
  case CORPUS_AVX2:
    return __builtin_cpu_supports("avx2") != 0;
  case CORPUS_AVX512:
    return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  default:
    return 1;
  }
}
#else
size_t corpus_count(void) { return 0; }
const corpus_case *corpus_case_at(size_t index) { return (void)index, (const corpus_case *)0; }
const void *corpus_helper_address(void) { return NULL; }
int corpus_can_run(const corpus_case *item) { return (void)item, 0; }
void corpus_call(const void *function, corpus_state *state) { (void)function, (void)state; }
#endif
