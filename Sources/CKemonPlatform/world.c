/* SPDX-License-Identifier: Apache-2.0
 * Who must stop, and the change itself. From the first signal to the release nothing of the C library is called: a
 * stopped thread may hold any of its locks. */
#define _GNU_SOURCE
#include "world.h"
#include <errno.h>

#if defined(__x86_64__) && defined(__linux__)
#include "raw_syscall.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#endif

/* The controller's own: one at a time. */
typedef struct control {
  const ckemon_text_change *change;
  int directory;
  int32_t process, self;
  uint32_t number, round;
  uint64_t deadline;
  uint64_t first_signal; /* when it was sent; 0: none yet */
  uint32_t traps_blocked; /* a thread that sleeps would not survive an int3 */
  int32_t running;       /* the last thread that did not stand still */
} control;

static uint32_t last_number;

static uint64_t now(void) {
  struct timespec time;
  ckemon_raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)(uintptr_t)&time, 0, 0, 0, 0);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Reads a small file of a thread: /proc/self/task/<tid>/<name>. Returns its length, or -errno. */
static long read_file(const control *control, int32_t tid, const char *name, char *text, long capacity) {
  char path[32];
  int length = 0;
  char digits[12];
  int digit_count = 0;
  for (int32_t rest = tid; rest > 0; rest /= 10)
    digits[digit_count++] = (char)('0' + rest % 10);
  while (digit_count > 0)
    path[length++] = digits[--digit_count];
  path[length++] = '/';
  while (*name != 0)
    path[length++] = *name++;
  path[length] = 0;
  long file = ckemon_raw_syscall(SYS_openat, control->directory, (long)(uintptr_t)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (file < 0)
    return file;
  long size = ckemon_raw_syscall(SYS_read, file, (long)(uintptr_t)text, capacity - 1, 0, 0, 0);
  ckemon_raw_syscall(SYS_close, file, 0, 0, 0, 0, 0);
  if (size >= 0)
    text[size] = 0;
  return size;
}

static const char *read_hexadecimal(const char *text, uint64_t *value) {
  *value = 0;
  for (;; text++) {
    int digit;
    if (*text >= '0' && *text <= '9')
      digit = *text - '0';
    else if (*text >= 'a' && *text <= 'f')
      digit = *text - 'a' + 10;
    else
      return text;
    *value = *value << 4 | (uint64_t)digit;
  }
}

/* The signals that a thread blocks; all of them when that cannot be read. */
static uint64_t blocked_signals(const control *control, int32_t tid) {
  char text[2048];
  long size = read_file(control, tid, "status", text, sizeof text);
  static const char key[] = "SigBlk:\t";
  for (long i = 0; i + (long)sizeof key <= size; i++) {
    int same = 1;
    for (int j = 0; key[j] != 0 && same; j++)
      same = text[i + j] == key[j];
    if (same) {
      uint64_t value;
      read_hexadecimal(text + i + sizeof key - 1, &value);
      return value;
    }
  }
  return ~0ull;
}

static int blocks(uint64_t mask, int signal_number) { return (int)(mask >> (signal_number - 1) & 1); }

/* The signal that stops a thread which blocks these; 0: none does. */
static int signal_for(uint64_t mask) {
  return !blocks(mask, ckemon_stop_signal)     ? ckemon_stop_signal
         : !blocks(mask, CKEMON_SECOND_SIGNAL) ? CKEMON_SECOND_SIGNAL : 0;
}

static int is_inside_change(const ckemon_text_change *change, uint64_t pc) {
  for (size_t i = 0; i < change->move_count; i++)
    if (change->moves[i].from == pc)
      return 1;
  return 0;
}

enum { RUNS, SLEEPS, GONE };

/* What a thread does: the file says "running", or "number arguments… stack pc" of a system call, -1 for a page fault. */
static int look_at(const control *control, int32_t tid) {
  char text[256];
  long size = read_file(control, tid, "syscall", text, sizeof text);
  if (size == -ENOENT || size == -ESRCH)
    return GONE;
  if (size <= 0 || text[0] < '0' || text[0] > '9')
    return RUNS;
  const char *last = text;
  for (const char *p = text; *p != 0 && *p != '\n'; p++)
    if (*p == ' ')
      last = p + 1;
  uint64_t pc = 0;
  if (last[0] == '0' && last[1] == 'x')
    read_hexadecimal(last + 2, &pc);
  return is_inside_change(control->change, pc) ? RUNS : SLEEPS;
}

static ckemon_thread *thread_of(int32_t tid) {
  ckemon_stop *stop = &ckemon_current_stop;
  uint32_t count = atomic_load(&stop->count);
  for (uint32_t i = 0; i < count; i++)
    if (stop->threads[i].tid == tid)
      return &stop->threads[i];
  if (count == CKEMON_THREADS_MAX)
    return NULL;
  ckemon_thread *thread = &stop->threads[count];
  thread->tid = tid;
  thread->state = CKEMON_THREAD_NEW;
  atomic_store(&thread->stopped, 0);
  atomic_store(&stop->count, count + 1);
  return thread;
}

/* Looks at one thread and stops it if it must be. Returns 1 when nothing is to be waited for. */
static int settle(control *control, ckemon_thread *thread) {
  if (atomic_load(&thread->stopped))
    return 1;
  switch (look_at(control, thread->tid)) {
  case GONE:
    return 1;
  case SLEEPS:
    /* Also one that was signalled: it waits in our handler for traps then, or will come to the other one. */
    if (thread->state != CKEMON_THREAD_ASLEEP) {
      int was_signalled = thread->state == CKEMON_THREAD_SIGNALLED;
      thread->state = CKEMON_THREAD_ASLEEP;
      if (!was_signalled && blocks(blocked_signals(control, thread->tid), SIGTRAP))
        control->traps_blocked = 1;
      return 0; /* it may have gone on in the meantime: look again */
    }
    return 1;
  default:
    if (thread->state == CKEMON_THREAD_SIGNALLED)
      return 0;
    thread->state = CKEMON_THREAD_NEW;
    int number = signal_for(blocked_signals(control, thread->tid));
    if (control->first_signal == 0)
      control->first_signal = now();
    if (number != 0 && ckemon_world_signal(control->process, thread->tid, number, control->number) == 0)
      thread->state = CKEMON_THREAD_SIGNALLED;
    return 0;
  }
}

/* One look at all threads. Returns 1 when every one stands still, 0 when not, or -errno. */
static int scan(control *control) {
  int still = 1;
  control->round++;
  ckemon_raw_syscall(SYS_lseek, control->directory, 0, 0, 0, 0, 0);
  char buffer[8192];
  for (;;) {
    long size = ckemon_raw_syscall(SYS_getdents64, control->directory, (long)(uintptr_t)buffer, sizeof buffer, 0, 0, 0);
    if (size < 0)
      return (int)size;
    if (size == 0)
      return still;
    for (long at = 0; at < size;) {
      /* struct linux_dirent64: inode 8, offset 8, length 2, type 1, name. */
      unsigned short length = *(const unsigned short *)(const void *)(buffer + at + 16);
      const char *name = buffer + at + 19;
      at += length;
      int32_t tid = 0;
      for (; *name >= '0' && *name <= '9'; name++)
        tid = tid * 10 + (*name - '0');
      if (tid == 0 || tid == control->self)
        continue;
      ckemon_thread *thread = thread_of(tid);
      if (thread == NULL)
        return -EAGAIN;
      thread->round = control->round;
      if (!settle(control, thread)) {
        still = 0;
        control->running = tid;
      }
    }
  }
}

/* Waits until every thread stands still. Returns 0 or -errno. */
static int wait_until_still(control *control) {
  ckemon_stop *stop = &ckemon_current_stop;
  for (;;) {
    uint32_t acknowledgements = atomic_load(&stop->acknowledgements);
    int still = scan(control);
    if (still != 0)
      return still < 0 ? still : 0;
    if (now() >= control->deadline)
      return -EAGAIN;
    struct timespec pause = {.tv_nsec = 200000};
    ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)&stop->acknowledgements, FUTEX_WAIT_PRIVATE, (long)acknowledgements,
                       (long)(uintptr_t)&pause, 0, 0);
  }
}

static void synchronize_cores(void) {
  static int registered;
  if (!registered)
    registered = ckemon_raw_syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0, 0, 0,
                                    0) == 0;
  ckemon_raw_syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0, 0, 0, 0);
}

/* Maps a file over the pages of a change; all of them, or as they were before. The system call itself: a sanitizer's
 * mmap would take the program's own code for new memory. */
static int map(const ckemon_text_change *change, int file) {
  long protection = PROT_READ | PROT_EXEC, flags = MAP_PRIVATE | MAP_FIXED;
  for (size_t i = 0; i < change->run_count; i++) {
    const ckemon_text_run *run = &change->runs[i];
    long status = ckemon_raw_syscall(SYS_mmap, (long)run->address, (long)run->size, protection, flags, file,
                                     (long)run->offset);
    if (status >= 0 || status < -4095)
      continue;
    while (i-- > 0)
      ckemon_raw_syscall(SYS_mmap, (long)change->runs[i].address, (long)change->runs[i].size, protection, flags,
                         change->before, (long)change->runs[i].offset);
    return (int)status;
  }
  return 0;
}

static int has_sleepers(void) {
  ckemon_stop *stop = &ckemon_current_stop;
  uint32_t count = atomic_load(&stop->count);
  for (uint32_t i = 0; i < count; i++)
    if (stop->threads[i].state == CKEMON_THREAD_ASLEEP)
      return 1;
  return 0;
}

static int change_stopped(control *control) {
  const ckemon_text_change *change = control->change;
  int status = wait_until_still(control);
  if (status != 0)
    return status;
  if (has_sleepers() && change->trapped >= 0 && !control->traps_blocked) {
    /* Whoever wakes up from now on can not get between the replaced instructions. */
    if ((status = map(change, change->trapped)) != 0)
      return status;
    synchronize_cores();
    if ((status = wait_until_still(control)) != 0) {
      map(change, change->before);
      synchronize_cores();
      return status;
    }
  }
  return map(change, change->after);
}

static void count_threads(const control *control, ckemon_text_report *report) {
  ckemon_stop *stop = &ckemon_current_stop;
  uint32_t count = atomic_load(&stop->count);
  for (uint32_t i = 0; i < count; i++) {
    if (stop->threads[i].round != control->round)
      continue;
    report->threads++;
    report->signalled += atomic_load(&stop->threads[i].stopped);
    report->asleep += stop->threads[i].state == CKEMON_THREAD_ASLEEP;
  }
  report->moved = atomic_load(&stop->moved);
}

static int prepare(ckemon_stop *stop) {
  if (stop->threads == NULL) {
    long size = CKEMON_THREADS_MAX * sizeof(ckemon_thread);
    long memory = ckemon_raw_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory >= -4095)
      return (int)memory;
    stop->threads = (ckemon_thread *)memory;
  }
  return ckemon_world_prepare();
}

/* The longest pause of one attempt: a thread that does not stop must not keep the others for longer. */
#define PAUSE_NS 250000000ull

/* One attempt: stops the others, makes the change, lets them go. */
static int try_stopped(const ckemon_text_change *change, int directory, uint64_t end, ckemon_text_report *report) {
  ckemon_stop *stop = &ckemon_current_stop;
  control control = {.change = change,
                     .directory = directory,
                     .process = (int32_t)ckemon_raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0),
                     .self = (int32_t)ckemon_raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
                     .deadline = now() + PAUSE_NS < end ? now() + PAUSE_NS : end};
  if (++last_number == 0)
    last_number = 1;
  control.number = last_number;
  atomic_store(&stop->count, 0);
  atomic_store(&stop->moved, 0);
  stop->change = change;
  atomic_store(&stop->active, control.number);
  int status = change_stopped(&control);
  synchronize_cores();
  if (status == -EAGAIN && control.running != 0) {
    report->unstopped = control.running;
    report->blocked = blocked_signals(&control, control.running);
    report->signal = signal_for(report->blocked);
  }
  count_threads(&control, report);
  /* Before the release: whoever is woken may take this thread's place on its processor. */
  report->pause_ns = control.first_signal == 0 ? 0 : now() - control.first_signal;
  atomic_store(&stop->active, 0);
  ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)&stop->active, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
  /* Nobody looks at the change any more when this returns. */
  while (atomic_load(&stop->readers) != 0)
    ckemon_raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
  return status;
}

static int apply_stopped(const ckemon_text_change *change, ckemon_text_report *report) {
  ckemon_stop *stop = &ckemon_current_stop;
  int status = prepare(stop);
  if (status != 0)
    return status;
  /* A handler of the program that ran here while others are stopped could wait for them. */
  uint64_t all = ~0ull, mask;
  ckemon_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&all, (long)(uintptr_t)&mask, 8, 0, 0);
  long directory = ckemon_raw_syscall(SYS_openat, AT_FDCWD, (long)(uintptr_t)"/proc/self/task",
                                      O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
  if (directory < 0)
    status = (int)directory;
  else {
    uint64_t end = now() + change->timeout_ms * 1000000ull;
    for (;;) {
      *report = (ckemon_text_report){0};
      status = try_stopped(change, (int)directory, end, report);
      if (status != -EAGAIN || now() >= end)
        break;
      /* Let the program go on in between. */
      struct timespec pause = {.tv_nsec = 5000000};
      ckemon_raw_syscall(SYS_nanosleep, (long)(uintptr_t)&pause, 0, 0, 0, 0, 0);
    }
    ckemon_raw_syscall(SYS_close, directory, 0, 0, 0, 0, 0);
  }
  ckemon_raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&mask, 0, 8, 0, 0);
  return status;
}

int ckemon_text_apply(const ckemon_text_change *change, ckemon_text_report *report) {
  *report = (ckemon_text_report){0};
  if (change->stops)
    return apply_stopped(change, report);
  int status = map(change, change->after);
  synchronize_cores();
  return status;
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
int ckemon_text_apply(const ckemon_text_change *change, ckemon_text_report *report) {
  (void)change;
  *report = (ckemon_text_report){0};
  return -ENOSYS;
}
#endif
