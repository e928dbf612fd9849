/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_text.h"
#include "ckemon_memfd.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int ckemon_text_replace(void *pages, const void *content, size_t size) {
  int fd = ckemon_memfd_create("kemon-text");
  if (fd < 0)
    return fd;
  int status = 0;
  for (size_t done = 0; done < size && status == 0;) {
    ssize_t written = write(fd, (const char *)content + done, size - done);
    if (written > 0)
      done += (size_t)written;
    else if (errno != EINTR)
      status = written == 0 ? -EIO : -errno;
  }
  if (status == 0)
    status = ckemon_memfd_seal(fd);
  // The system call itself: a sanitizer's mmap would take the program's own code for new memory.
  long protection = PROT_READ | PROT_EXEC, flags = MAP_PRIVATE | MAP_FIXED, offset = 0;
  if (status == 0 && syscall(SYS_mmap, pages, size, protection, flags, (long)fd, offset) == -1)
    status = -errno;
  close(fd);
  return status;
}
