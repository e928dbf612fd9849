/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "hook_corpus.h"

#if defined(__unix__)
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int corpus_in_child(void (*body)(void *context, uint32_t *progress), void *context, uint32_t seconds,
                    uint32_t *progress) {
  uint32_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return -1;
  *shared = *progress;
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    /* The caller may be a thread that blocks every signal. */
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL);
    alarm(seconds);
    body(context, shared);
    _exit(0);
  }
  if (child > 0)
    while (waitpid(child, &status, 0) < 0)
      ;
  *progress = *shared;
  munmap(shared, sizeof *shared);
  return status;
}
#else
int corpus_in_child(void (*body)(void *context, uint32_t *progress), void *context, uint32_t seconds,
                    uint32_t *progress) {
  (void)body, (void)context, (void)seconds, (void)progress;
  return -1;
}
#endif
