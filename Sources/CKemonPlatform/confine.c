/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "ckemon_confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int ckemon_confine_begin(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -errno;
  return 0;
}

int ckemon_confine_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  /* Fails without the right to, and then there is nothing to give up. */
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  return syscall(SYS_capset, &header, none) != 0 ? -errno : 0;
}

int ckemon_confine_limit(int which, uint64_t value) {
  static const __rlimit_resource_t resources[] = {RLIMIT_AS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_FSIZE};
  const __rlimit_resource_t resource = resources[which];
  struct rlimit now, limit;
  if (getrlimit(resource, &now) != 0)
    return -errno;
  /* Nobody gets more than he had. */
  limit.rlim_max = value < now.rlim_max ? value : now.rlim_max;
  limit.rlim_cur = value < now.rlim_cur ? value : now.rlim_cur;
  if (limit.rlim_cur > limit.rlim_max)
    limit.rlim_cur = limit.rlim_max;
  return setrlimit(resource, &limit) != 0 ? -errno : 0;
}

/* Landlock, as newer kernels have it than the headers that this is compiled with. */
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD 445
#define LANDLOCK_RESTRICT 446
#define ACCESS_EXECUTE (1ull << 0)
#define ACCESS_WRITE_FILE (1ull << 1)
#define ACCESS_READ_FILE (1ull << 2)
#define ACCESS_READ_DIR (1ull << 3)
#define ACCESS_TRUNCATE (1ull << 14)
#define ACCESS_V1 ((1ull << 13) - 1)
#define SCOPE_ABSTRACT_SOCKETS (1ull << 0)
#define SCOPE_SIGNALS (1ull << 1)

struct landlock_rules {
  uint64_t files, net, scoped;
};

struct landlock_below {
  uint64_t access;
  int32_t folder;
} __attribute__((packed));

/* The rights over files that each version of Landlock knows. */
static uint64_t known_access(int version) {
  uint64_t access = ACCESS_V1;
  if (version >= 2)
    access |= 1ull << 13; /* to move between folders */
  if (version >= 3)
    access |= ACCESS_TRUNCATE;
  if (version >= 5)
    access |= 1ull << 15; /* ioctl of devices */
  return access;
}

static int allow(int rules, const ckemon_confine_path *path, uint64_t known) {
  const uint64_t of_files = ACCESS_EXECUTE | ACCESS_WRITE_FILE | ACCESS_READ_FILE | ACCESS_TRUNCATE | (1ull << 15);
  struct landlock_below below = {.access = ACCESS_EXECUTE | ACCESS_READ_FILE | ACCESS_READ_DIR};
  struct stat status;
  int result = 0;
  below.folder = open(path->path, O_PATH | O_CLOEXEC);
  if (below.folder < 0)
    return 0;
  if (path->writable)
    below.access = known & ~ACCESS_EXECUTE;
  if (fstat(below.folder, &status) == 0 && !S_ISDIR(status.st_mode))
    below.access &= of_files;
  below.access &= known;
  if (syscall(LANDLOCK_ADD, rules, 1, &below, 0) != 0)
    result = -errno;
  close(below.folder);
  return result;
}

int ckemon_confine_files(const ckemon_confine_path *paths, size_t count, int net) {
  struct landlock_rules rules = {0, 0, 0};
  int version = (int)syscall(LANDLOCK_CREATE, NULL, 0, 1);
  size_t size = sizeof rules.files;
  int result = 0, fd;
  if (version < 1)
    return -errno;
  rules.files = known_access(version);
  if (version >= 4) {
    rules.net = net ? 0 : 3;
    size = offsetof(struct landlock_rules, scoped);
  }
  if (version >= 6) {
    rules.scoped = SCOPE_SIGNALS | (net ? 0 : SCOPE_ABSTRACT_SOCKETS);
    size = sizeof rules;
  }
  fd = (int)syscall(LANDLOCK_CREATE, &rules, size, 0);
  if (fd < 0)
    return -errno;
  for (size_t i = 0; i < count && result == 0; i++)
    result = allow(fd, &paths[i], rules.files);
  if (result == 0 && syscall(LANDLOCK_RESTRICT, fd, 0) != 0)
    result = -errno;
  close(fd);
  return result != 0 ? result : version;
}
