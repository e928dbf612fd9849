/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes what it can reach of the system, line by line, when it is created. In workers only: in the process of a host it
 * would trace its parent and stop it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kemon/kemon.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MANIFEST
#define MANIFEST "{\"name\": \"reach\", \"version\": \"1.0.0\", \"abi\": 1}"
#endif
KEMON_MANIFEST(MANIFEST);

static const kemon_host *host;

static void say(const char *what, int works) {
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  char line[128];
  output->write(host, line, (size_t)snprintf(line, sizeof line, "%s: %s\n", what, works ? "yes" : "no"));
}

static void *nothing(void *p) { return p; }

static int can_fork(void) {
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  return child > 0;
}

static int can_have_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static int can_open(const char *path, int flags) {
  int fd = open(path, flags, 0600);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

static int can_raise(int resource) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  return setrlimit(resource, &limit) == 0;
}

/* The page is open for reading only, but is a file with a name. */
static int can_map_page(void) {
  int fd = open("/proc/self/fd/4", O_RDWR);
  void *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int works = page != MAP_FAILED || (fd >= 0 && write(fd, "", 1) == 1);
  if (page != MAP_FAILED)
    munmap(page, 4096);
  if (fd >= 0)
    close(fd);
  return works;
}

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c, (void)e;
  host = h;
  say("a thread", can_have_thread());
  say("a process", can_fork());
  say("a shell", system("true") == 0);
  say("a socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
  say("a library", can_open("/usr/bin/env", O_RDONLY));
  say("the user's names", can_open("/etc/passwd", O_RDONLY));
  say("a new file", can_open("/tmp/kemon-reach", O_WRONLY | O_CREAT));
  say("a signal to its host", kill(getppid(), 0) == 0);
  say("signals by a descriptor", fcntl(3, F_SETOWN, getpid()) == 0 || fcntl(3, F_SETSIG, SIGURG) == 0);
  say("the memory of its host", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
  void *code = mmap(NULL, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  say("code that it writes", code != MAP_FAILED);
  if (code != MAP_FAILED)
    munmap(code, 4096);
  say("more memory", can_raise(RLIMIT_AS));
  say("the root", setuid(0) == 0);
  char *much = malloc((size_t)3 << 30);
  say("3 GiB", much != NULL);
  free(much);
  say("the page of its host", can_map_page());
  say("descriptors of its host", open_descriptors() > 12);
  return (void *)h;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
