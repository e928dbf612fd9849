/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FD_LIMIT = 64 };

static int spawn(const char *path, char *const *arguments, char *const *environment, const int *fds, size_t count) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  pid_t child = 0;
  int error;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  for (size_t i = 0; i < count; i++)
    posix_spawn_file_actions_adddup2(&actions, fds[i], (int)i);
  posix_spawn_file_actions_addclosefrom_np(&actions, (int)count);
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  error = posix_spawn(&child, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error != 0 ? -error : child;
}

int ckemon_spawn(const char *path, char *const *arguments, char *const *environment, const int *fds, size_t count) {
  int copies[FD_LIMIT];
  int result = 0;
  size_t made = 0;
  if (count > FD_LIMIT)
    return -EMFILE;
  /* Numbers that the child's own cannot overwrite before they are copied. */
  for (; made < count && result == 0; made++) {
    copies[made] = fcntl(fds[made], F_DUPFD_CLOEXEC, FD_LIMIT);
    if (copies[made] < 0) {
      result = -errno;
      break;
    }
  }
  if (result == 0)
    result = spawn(path, arguments, environment, copies, count);
  for (size_t i = 0; i < made; i++)
    close(copies[i]);
  return result;
}

int ckemon_end_with(int parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return -errno;
  return getppid() != parent ? -ESRCH : 0;
}

int ckemon_pidfd_kill(int pidfd) {
  return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) != 0 ? -errno : 0;
}

int ckemon_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) != 0 ? -errno : 0; }
