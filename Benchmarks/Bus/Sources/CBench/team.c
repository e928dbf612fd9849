/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "bench.h"

int bench_pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

enum { BENCH_ROLE_LIMIT = 16 };

typedef struct team {
  _Atomic uint32_t ready;
  _Atomic uint32_t go;
} team;

typedef struct member {
  bench_role role;
  team *team;
  pthread_t thread;
  uint64_t start, end;
} member;

static void *member_main(void *raw) {
  member *me = raw;
  bench_pin(me->role.cpu);
  atomic_fetch_add(&me->team->ready, 1);
  /* Yielding, because the others may have to start on this very core. */
  while (!atomic_load_explicit(&me->team->go, memory_order_acquire)) sched_yield();
  me->start = bench_ticks();
  me->role.run(me->role.context, me->role.index);
  me->end = bench_ticks();
  return NULL;
}

double bench_team_run(const bench_role *roles, size_t count) {
  if (count == 0 || count > BENCH_ROLE_LIMIT) return -1;
  team common = {0, 0};
  member members[BENCH_ROLE_LIMIT];
  for (size_t i = 0; i < count; i++) {
    members[i] = (member){.role = roles[i], .team = &common};
    if (pthread_create(&members[i].thread, NULL, member_main, &members[i]) != 0) {
      atomic_store(&common.go, 1);
      return -1;
    }
  }
  while (atomic_load(&common.ready) != count) sched_yield();
  uint64_t start = bench_ticks();
  atomic_store_explicit(&common.go, 1, memory_order_release);
  uint64_t end = start;
  for (size_t i = 0; i < count; i++) {
    pthread_join(members[i].thread, NULL);
    if (members[i].end > end) end = members[i].end;
  }
  return (double)(end - start) * bench_ns_per_tick();
}
