/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_memfd.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int ckemon_memfd_create(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd < 0 ? -errno : fd;
}

enum { ALL_SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

int ckemon_memfd_seal(int fd) { return fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0 ? -errno : 0; }

int ckemon_memfd_is_sealed(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  return seals < 0 ? -errno : (seals & ALL_SEALS) == ALL_SEALS;
}
