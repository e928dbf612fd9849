/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_ring.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int ckemon_barrier_prepare(void) {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void ckemon_barrier_everywhere(void) { syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }

int ckemon_futex_wait_shared(const void *word, uint32_t expected, uint64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                             .tv_nsec = (long)(timeout_ns % 1000000000u)};
  long rc = syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
  return rc < 0 ? -errno : 0;
}

void ckemon_futex_wake_all_shared(const void *word) {
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int ckemon_memfd_seal_size(int fd) {
  return fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int ckemon_memfd_seal_for_mapped(int fd) {
  const int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int ckemon_memfd_size_is_sealed(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0)
    return -errno;
  return (seals & (F_SEAL_GROW | F_SEAL_SHRINK)) == (F_SEAL_GROW | F_SEAL_SHRINK);
}

int ckemon_pidfd_open(int pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : (int)fd;
}

int ckemon_pidfd_has_ended(int pidfd) {
  struct pollfd poll_one = {.fd = pidfd, .events = POLLIN, .revents = 0};
  return poll(&poll_one, 1, 0) > 0 && (poll_one.revents & (POLLIN | POLLHUP)) != 0;
}

void *ckemon_map_shared(int fd, size_t size, int *error) {
  void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  *error = p == MAP_FAILED ? errno : 0;
  return p == MAP_FAILED ? NULL : p;
}

void *ckemon_map_private(size_t size, int *error) {
  void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  *error = p == MAP_FAILED ? errno : 0;
  return p == MAP_FAILED ? NULL : p;
}

void ckemon_unmap(void *address, size_t size) { munmap(address, size); }
