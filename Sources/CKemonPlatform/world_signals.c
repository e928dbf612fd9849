/* SPDX-License-Identifier: Apache-2.0
 * How a thread stops: the handlers of world.c. They call nothing of the C library, which may be what is changed. */
#define _GNU_SOURCE
#include "ckemon_trap.h"
#include "world.h"

#if defined(__x86_64__) && defined(__linux__)
#include "raw_syscall.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#endif

ckemon_stop ckemon_current_stop;
int ckemon_stop_signal;

extern void ckemon_signal_return(void);

/* The kernel's, not the C library's. */
struct action {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};
/* What the program wants to happen at the two signals that are not ours alone. */
static struct action previous[32];

static long set_action(int number, const struct action *new, struct action *old) {
  return ckemon_raw_syscall(SYS_rt_sigaction, number, (long)(uintptr_t)new, (long)(uintptr_t)old, 8, 0, 0);
}

static void wait_for_release(uint32_t number) {
  ckemon_stop *stop = &ckemon_current_stop;
  while (atomic_load(&stop->active) == number)
    ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)&stop->active, FUTEX_WAIT_PRIVATE, (long)number, 0, 0, 0);
}

/* A system call that this signal has interrupted, and that the kernel does not make again by itself, had only just
 * begun: threads that sleep in one are not signalled. So it is made again. */
static void restart_system_call(greg_t *registers) {
  if (registers[REG_RAX] != -EINTR)
    return;
  const unsigned char *pc = (const unsigned char *)registers[REG_RIP];
  /* mov eax, number; syscall */
  if (pc[-1] != 0x05 || pc[-2] != 0x0f || pc[-7] != 0xb8)
    return;
  registers[REG_RIP] -= 7;
}

/* Counts the thread among those that look at the stop, if it is still under way. */
static int begin_reading(uint32_t number) {
  ckemon_stop *stop = &ckemon_current_stop;
  atomic_fetch_add(&stop->readers, 1);
  if (number != 0 && atomic_load(&stop->active) == number)
    return 1;
  atomic_fetch_sub(&stop->readers, 1);
  return 0;
}

static void move_out(greg_t *registers) {
  const ckemon_text_change *change = ckemon_current_stop.change;
  uintptr_t pc = (uintptr_t)registers[REG_RIP];
  size_t low = 0, high = change->move_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (change->moves[middle].from < pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (low < change->move_count && change->moves[low].from == pc) {
    /* The moved code does the same, also when the change is given up. */
    registers[REG_RIP] = (greg_t)change->moves[low].to;
    atomic_fetch_add(&ckemon_current_stop.moved, 1);
  }
}

/* Tells a request to stop from other signals; the number is in the lower half. */
#define REQUEST 0x6b656d6f00000000u

/* Stops the thread if this is a request of the stop that is under way. Returns 1 for any request. */
static int stop_here(const siginfo_t *info, void *context) {
  uint64_t value = (uint64_t)(uintptr_t)info->si_value.sival_ptr;
  if (info->si_code != SI_QUEUE || (value & 0xffffffff00000000u) != REQUEST)
    return 0;
  ckemon_stop *stop = &ckemon_current_stop;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  restart_system_call(registers);
  uint32_t number = (uint32_t)value;
  if (!begin_reading(number))
    return 1;
  move_out(registers);
  int32_t tid = (int32_t)ckemon_raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
  uint32_t count = atomic_load(&stop->count);
  for (uint32_t i = 0; i < count; i++)
    if (stop->threads[i].tid == tid)
      atomic_store(&stop->threads[i].stopped, 1);
  atomic_fetch_sub(&stop->readers, 1);
  atomic_fetch_add(&stop->acknowledgements, 1);
  ckemon_raw_syscall(SYS_futex, (long)(uintptr_t)&stop->acknowledgements, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
  wait_for_release(number);
  return 1;
}

/* A signal that is not ours. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
  void (*handler)(int, siginfo_t *, void *) = previous[signal_number].handler;
  if ((uintptr_t)handler == (uintptr_t)SIG_DFL || (uintptr_t)handler == (uintptr_t)SIG_IGN) {
    struct action action = {.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_DFL,
                            .flags = 0x04000000,
                            .restorer = ckemon_signal_return};
    set_action(signal_number, &action, NULL);
    long process = ckemon_raw_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
    long tid = ckemon_raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
    ckemon_raw_syscall(SYS_tgkill, process, tid, signal_number, 0, 0, 0);
    return;
  }
  handler(signal_number, info, context);
}

static void on_stop(int signal_number, siginfo_t *info, void *context) {
  if (!stop_here(info, context) && signal_number == CKEMON_SECOND_SIGNAL)
    pass_on(signal_number, info, context);
}

static int is_trap(uintptr_t pc) {
  const ckemon_text_change *change = ckemon_current_stop.change;
  for (size_t i = 0; i < change->trap_count; i++)
    if (change->traps[i] == pc)
      return 1;
  return 0;
}

/* Breakpoints that lead somewhere: only ever added, and few, so that looking takes less than the signal does. */
#define TRAPS_MAX 1024
static struct trap {
  _Atomic uintptr_t address, target;
} traps[TRAPS_MAX];
static atomic_uint trap_count;

static struct trap *find_trap(uintptr_t address) {
  uint32_t count = atomic_load(&trap_count);
  for (uint32_t i = 0; i < count; i++)
    if (atomic_load_explicit(&traps[i].address, memory_order_relaxed) == address)
      return &traps[i];
  return 0;
}

int ckemon_trap_set(uintptr_t address, uintptr_t target) {
  struct trap *trap = find_trap(address);
  if (trap != 0) {
    atomic_store(&trap->target, target);
  } else {
    uint32_t count = atomic_load(&trap_count);
    if (count == TRAPS_MAX)
      return -ENOSPC;
    atomic_store(&traps[count].address, address);
    atomic_store(&traps[count].target, target);
    atomic_store(&trap_count, count + 1);
  }
  return ckemon_world_prepare();
}

static void on_trap(int signal_number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  uintptr_t pc = (uintptr_t)registers[REG_RIP] - 1;
  if (info->si_code == SI_KERNEL) {
    uint32_t number = atomic_load(&ckemon_current_stop.active);
    if (begin_reading(number)) {
      int ours = is_trap(pc);
      atomic_fetch_sub(&ckemon_current_stop.readers, 1);
      if (ours)
        wait_for_release(number);
    }
    /* Ours are gone when the stop is over. */
    if (*(const volatile unsigned char *)pc != 0xcc) {
      registers[REG_RIP] = (greg_t)pc;
      return;
    }
    const struct trap *trap = find_trap(pc);
    if (trap != 0) {
      registers[REG_RIP] = (greg_t)atomic_load(&trap->target);
      return;
    }
  }
  pass_on(signal_number, info, context);
}

/* Takes a signal that the program may use too; again when it has set its own handler since the last time. */
static int share(int number, struct action *action, void (*handler)(int, siginfo_t *, void *)) {
  struct action old;
  long status = set_action(number, NULL, &old);
  if (status != 0 || old.handler == handler)
    return (int)status;
  previous[number] = old;
  action->handler = handler;
  return (int)set_action(number, action, NULL);
}

int ckemon_world_prepare(void) {
  struct action action = {.handler = on_stop,
                          .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | 0x04000000 /* SA_RESTORER */,
                          .restorer = ckemon_signal_return,
                          .mask = ~0ull};
  struct action old;
  for (int number = 62; number > 40 && ckemon_stop_signal == 0; number--) {
    if (set_action(number, NULL, &old) != 0 || (uintptr_t)old.handler != (uintptr_t)SIG_DFL)
      continue;
    long status = set_action(number, &action, NULL);
    if (status != 0)
      return (int)status;
    ckemon_stop_signal = number;
  }
  if (ckemon_stop_signal == 0)
    return -EBUSY;
  int status = share(SIGTRAP, &action, on_trap);
  return status != 0 ? status : share(CKEMON_SECOND_SIGNAL, &action, on_stop);
}

int ckemon_world_signal(int32_t process, int32_t tid, int signal_number, uint32_t number) {
  siginfo_t info = {.si_code = SI_QUEUE};
  info.si_value.sival_ptr = (void *)(uintptr_t)(REQUEST | number);
  info.si_pid = process;
  return (int)ckemon_raw_syscall(SYS_rt_tgsigqueueinfo, process, tid, signal_number, (long)(uintptr_t)&info, 0, 0);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
#include <errno.h>

int ckemon_trap_set(uintptr_t address, uintptr_t target) {
  (void)address, (void)target;
  return -ENOSYS;
}
#endif
