/* SPDX-License-Identifier: Apache-2.0
 * Giving up rights, for processes that run code of others. Nothing that is given up comes back. Linux. */
#ifndef CKEMON_CONFINE_H
#define CKEMON_CONFINE_H
#include <stddef.h>
#include <stdint.h>

/* Has the kernel end this process when the thread that made it ends, and forbids new privileges and the end of both
 * rules. 0 or -errno. */
int ckemon_confine_begin(void);

/* Gives up every capability of root. 0 or -errno. */
int ckemon_confine_capabilities(void);

#define CKEMON_LIMIT_MEMORY 0      /* bytes of address space */
#define CKEMON_LIMIT_THREADS 1     /* of this user's processes together */
#define CKEMON_LIMIT_DESCRIPTORS 2 /* open at a time */
#define CKEMON_LIMIT_CORE 3        /* bytes of a core file */
#define CKEMON_LIMIT_FILE 4        /* bytes of a file that is written */

/* Limits a resource, CKEMON_LIMIT_*, for good. 0 or -errno. */
int ckemon_confine_limit(int which, uint64_t value);

/* A file or folder that stays reachable. */
typedef struct ckemon_confine_path {
  const char *path;
  int32_t writable, reserved;
} ckemon_confine_path;

/* Leaves only these files and folders, with what is below them, for reading and running, or for writing too; and TCP
 * only when `net`. What does not exist is left out. Returns the version of Landlock, or -errno: -ENOSYS and -EOPNOTSUPP
 * where the running kernel has none; then nothing has changed. Later threads inherit it. */
int ckemon_confine_files(const ckemon_confine_path *paths, size_t count, int net);

#define CKEMON_CONFINE_NET 0x1   /* sockets */
#define CKEMON_CONFINE_WRITE 0x2 /* making, changing and removing files, as far as ckemon_confine_files lets it */
#define CKEMON_CONFINE_EXEC 0x4  /* becoming another program, confined as this one */

/* Allows only the system calls of a list: memory, threads, waiting, reading, and what the flags add. Others fail with
 * EPERM: new processes, signals to others, also as the owner of a descriptor, memory that is writable and executable
 * among them. For all threads of the process. 0 or -errno. */
int ckemon_confine_calls(uint32_t flags);
#endif
