/* SPDX-License-Identifier: Apache-2.0
 * The list of system calls that a confined process may make, as a program for the kernel's filter. */
#define _GNU_SOURCE
#include "ckemon_confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifndef MACHINE
int ckemon_confine_calls(uint32_t flags) {
  (void)flags;
  return -ENOSYS;
}
#else

static const uint16_t always[] = {
    /* The most frequent first. */
    SYS_futex, SYS_read, SYS_write, SYS_clock_gettime, SYS_gettimeofday, SYS_sched_yield, SYS_readv, SYS_writev,
    SYS_pread64, SYS_lseek, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_ppoll, SYS_epoll_create1,
    SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_pipe2, SYS_dup, SYS_dup3, SYS_close,
    /* Memory. */
    SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_membarrier, SYS_mlock, SYS_munlock, SYS_msync,
    /* Time and threads. */
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_getres, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq, SYS_set_tid_address,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_restart_syscall,
    /* Signals of its own. */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_rt_sigtimedwait,
    /* What it is, and its end. */
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
    SYS_getrusage, SYS_times, SYS_uname, SYS_sysinfo, SYS_getrandom, SYS_getcwd, SYS_umask, SYS_exit, SYS_exit_group,
    /* Looking at files. */
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_fstatfs, SYS_statfs,
    SYS_fadvise64,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_open
    SYS_poll, SYS_select, SYS_epoll_wait, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_arch_prctl, SYS_dup2,
    SYS_pipe, SYS_time,
#endif
};

static const uint16_t with_net[] = {
    SYS_socket,      SYS_socketpair, SYS_connect,    SYS_bind,       SYS_listen,   SYS_accept, SYS_accept4,
    SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt, SYS_shutdown, SYS_sendmmsg, SYS_recvmmsg,
};

static const uint16_t with_write[] = {
    SYS_pwrite64, SYS_pwritev, SYS_ftruncate, SYS_fsync,    SYS_fdatasync, SYS_fallocate, SYS_unlinkat, SYS_mkdirat,
    SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_flock, SYS_fchmod, SYS_utimensat,
#ifdef SYS_open
    SYS_unlink,   SYS_rename,  SYS_mkdir,     SYS_rmdir, SYS_renameat,
#endif
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The lower half of an argument: both machines are little endian. */
#define LOAD_ARGUMENT(index) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (index))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | (error))
#define ALLOW ANSWER(SECCOMP_RET_ALLOW)
/* Goes over `skip` instructions unless the accumulator is k. */
#define UNLESS(k, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), 0, (skip))

enum { LIMIT = 512 };

struct program {
  struct sock_filter code[LIMIT];
  unsigned short count;
};

static void add(struct program *p, const struct sock_filter *code, size_t count) {
  for (size_t i = 0; i < count && p->count < LIMIT; i++)
    p->code[p->count++] = code[i];
}

#define ADD(p, ...)                                                                                                    \
  do {                                                                                                                 \
    const struct sock_filter code_[] = {__VA_ARGS__};                                                                  \
    add((p), code_, sizeof code_ / sizeof code_[0]);                                                                   \
  } while (0)

static void add_list(struct program *p, const uint16_t *calls, size_t count) {
  for (size_t i = 0; i < count; i++)
    ADD(p, UNLESS(calls[i], 1), ALLOW);
}

#define ADD_LIST(p, calls) add_list((p), (calls), sizeof(calls) / sizeof(calls)[0])

/* A call that is allowed when, of an argument, some bits are as they should be; refused with EPERM otherwise. */
static void add_masked(struct program *p, uint32_t call, uint32_t argument, uint32_t mask, uint32_t wanted) {
  ADD(p, UNLESS(call, 5), LOAD_ARGUMENT(argument), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask), UNLESS(wanted, 1), ALLOW,
      REFUSE(EPERM));
}

/* A call that is allowed unless all bits of a mask are set. */
static void add_unless_all(struct program *p, uint32_t call, uint32_t argument, uint32_t mask) {
  ADD(p, UNLESS(call, 5), LOAD_ARGUMENT(argument), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask), UNLESS(mask, 1),
      REFUSE(EPERM), ALLOW);
}

static void build(struct program *p, uint32_t flags) {
  const uint32_t changes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
  ADD(p, LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr));
  ADD_LIST(p, always);
  /* Nothing is writable and executable at the same time. */
  add_unless_all(p, SYS_mmap, 2, PROT_WRITE | PROT_EXEC);
  add_unless_all(p, SYS_mprotect, 2, PROT_WRITE | PROT_EXEC);
  /* Threads, no processes. The C library asks with clone3 first, whose flags a filter cannot see. */
  ADD(p, UNLESS(SYS_clone3, 1), REFUSE(ENOSYS));
  add_masked(p, SYS_clone, 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
  /* Signals to itself only: abort. */
  add_masked(p, SYS_tgkill, 0, ~0u, (uint32_t)getpid());
  /* Reading limits, not setting them: the pointer is NULL when both halves are. */
  ADD(p, UNLESS(SYS_prlimit64, 6), LOAD_ARGUMENT(2), UNLESS(0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * 2 + 4), UNLESS(0, 1), ALLOW,
      REFUSE(EPERM));
  ADD(p, UNLESS(SYS_prctl, 4), LOAD_ARGUMENT(0), UNLESS(PR_SET_NAME, 1), ALLOW, REFUSE(EPERM));
  /* A descriptor signals its owner, which may be anybody: it gets none. */
  ADD(p, UNLESS(SYS_fcntl, 8), LOAD_ARGUMENT(1), UNLESS(F_SETOWN, 1), REFUSE(EPERM), UNLESS(F_SETOWN_EX, 1),
      REFUSE(EPERM), UNLESS(F_SETSIG, 1), REFUSE(EPERM), ALLOW);
  ADD(p, UNLESS(SYS_ioctl, 1), REFUSE(ENOTTY));
  if ((flags & CKEMON_CONFINE_WRITE) != 0) {
    ADD(p, UNLESS(SYS_openat, 1), ALLOW);
    ADD_LIST(p, with_write);
  } else {
    add_masked(p, SYS_openat, 2, changes, O_RDONLY);
  }
#ifdef SYS_open
  add_masked(p, SYS_open, 1, changes, O_RDONLY);
#endif
  if ((flags & CKEMON_CONFINE_NET) != 0)
    ADD_LIST(p, with_net);
  if ((flags & CKEMON_CONFINE_EXEC) != 0)
    ADD(p, UNLESS(SYS_execve, 1), ALLOW);
  ADD(p, REFUSE(EPERM));
}

int ckemon_confine_calls(uint32_t flags) {
  struct program program = {.count = 0};
  build(&program, flags);
  /* Cut off: the last answer would be missing. */
  if (program.count >= LIMIT)
    return -E2BIG;
  struct sock_fprog filter = {program.count, program.code};
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
  /* Positive: a thread that has another filter already. */
  return result == 0 ? 0 : result > 0 ? -EBUSY : -errno;
}
#endif
