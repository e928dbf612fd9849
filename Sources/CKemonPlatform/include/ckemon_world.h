/* SPDX-License-Identifier: Apache-2.0
 * Changing code while every other thread stands still outside of what is changed. x86-64 Linux. */
#ifndef CKEMON_WORLD_H
#define CKEMON_WORLD_H
#include <stddef.h>
#include <stdint.h>

/* Whole pages of code, and where their new content is in the files of a change. */
typedef struct ckemon_text_run {
  uintptr_t address;
  uint64_t size, offset;
} ckemon_text_run;

/* A thread that is stopped at `from` goes on at `to`. */
typedef struct ckemon_move {
  uintptr_t from, to;
} ckemon_move;

/* A change of code. The files are sealed memory files (ckemon_memfd_create), all with the same layout. */
typedef struct ckemon_text_change {
  const ckemon_text_run *runs; /* ascending */
  size_t run_count;
  int32_t after;               /* the new content */
  int32_t before;              /* the old content; -1 allowed for a single run */
  int32_t trapped;             /* the old content with int3 at every address of `traps`; -1 allowed without them */
  int32_t stops;               /* 0: no other thread is where it matters, or every thread sees old and new code whole */
  const ckemon_move *moves;    /* ascending by `from` */
  size_t move_count;
  const uintptr_t *traps;      /* ascending */
  size_t trap_count;
  uint32_t timeout_ms;         /* how long to try to stop the other threads, in pauses of at most 250 ms */
} ckemon_text_change;

/* What a change has met. */
typedef struct ckemon_text_report {
  uint32_t threads;   /* other threads */
  uint32_t signalled; /* of those, stopped by a signal */
  uint32_t asleep;    /* of those, left in a system call */
  uint32_t moved;     /* of those, moved out of replaced code */
  uint64_t pause_ns;  /* from the first signal to the release, of the last attempt */
  uint64_t blocked;   /* of the thread below: the signals that it blocks, 1 << (number - 1) */
  int32_t unstopped;  /* -EAGAIN: a thread that did not stop; 0: none, they only were too many */
  int32_t signal;     /* what it was asked by; 0: it blocks both */
} ckemon_text_report;

/* Makes a change: all of it or, when the result is not 0, nothing.
 *
 * Threads that run are stopped by a real-time signal that the program does not use (or by SIGSYS, where they block
 * that), and moved out of what is replaced; a system call that this interrupts is made again. Threads that sleep in a system call are left alone: while they
 * could wake up into the change an int3 stands at its beginning, whose handler lets them wait. Threads that block
 * signals are waited for.
 *
 * Returns 0, -EAGAIN when other threads could not be stopped in time, or another -errno. Any thread, one at a time. */
int ckemon_text_apply(const ckemon_text_change *change, ckemon_text_report *report);
#endif
