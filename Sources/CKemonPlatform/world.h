/* SPDX-License-Identifier: Apache-2.0
 * What world.c (who must stop) and world_signals.c (how a thread stops) share. */
#ifndef CKEMON_WORLD_PRIVATE_H
#define CKEMON_WORLD_PRIVATE_H
#include "ckemon_world.h"
#include <stdatomic.h>

#if defined(__x86_64__) && defined(__linux__)
enum ckemon_thread_state { CKEMON_THREAD_NEW, CKEMON_THREAD_SIGNALLED, CKEMON_THREAD_ASLEEP };

typedef struct ckemon_thread {
  int32_t tid;
  uint32_t state;
  uint32_t round;     /* when it was last seen */
  uint32_t reserved;
  atomic_uint stopped; /* 1: it waits in our handler */
} ckemon_thread;

#define CKEMON_THREADS_MAX 8192

/* The stop that is under way. */
typedef struct ckemon_stop {
  atomic_uint active;            /* its number; 0: none. Stopped threads wait for this to change */
  atomic_uint acknowledgements;  /* changes whenever a thread has stopped */
  atomic_uint readers;           /* threads that look at the members below */
  atomic_uint moved;
  atomic_uint count;
  ckemon_thread *threads;        /* CKEMON_THREADS_MAX */
  const ckemon_text_change *change;
} ckemon_stop;
extern ckemon_stop ckemon_current_stop __attribute__((visibility("hidden")));

/* Installs the handlers once; 0 or -errno. */
int ckemon_world_prepare(void);
/* The signal that stops a thread. */
extern int ckemon_stop_signal __attribute__((visibility("hidden")));
/* The signal for threads that block every signal but those that processors raise, as many libraries' threads do. Not
 * SIGTRAP: one that is pending would swallow the one of an int3. */
#define CKEMON_SECOND_SIGNAL SIGSYS
/* Asks a thread to stop for the stop of this number, by one of the two. */
int ckemon_world_signal(int32_t process, int32_t tid, int signal_number, uint32_t number);
#endif
#endif
