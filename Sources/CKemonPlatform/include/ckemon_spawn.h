/* SPDX-License-Identifier: Apache-2.0
 * Starting another program with exactly the descriptors that it is given. */
#ifndef CKEMON_SPAWN_H
#define CKEMON_SPAWN_H
#include <stddef.h>

/* Starts a program in a process group of its own, with descriptors `fds` as 0, 1, 2, … and no others, no signal blocked
 * and none ignored. Lists end with NULL. Returns the process, or -errno. Any thread. */
int ckemon_spawn(const char *path, char *const *arguments, char *const *environment, const int *fds, size_t count);

/* Has the kernel end this process when the thread that made it ends. `parent`: the process of that thread, which may have
 * ended already: -ESRCH. 0 or -errno. */
int ckemon_end_with(int parent);

/* Ends the process of a pidfd, at once; one that has ended is left alone, whoever has its number now. 0 or -errno. Any
 * thread. */
int ckemon_pidfd_kill(int pidfd);

/* A pipe, both ends close-on-exec. 0 or -errno. */
int ckemon_pipe(int ends[2]);
#endif
