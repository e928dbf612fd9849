/* SPDX-License-Identifier: Apache-2.0
 * Everything below `say` runs in a process that is about to die, maybe with broken memory: it calls only what may be
 * called in a signal handler, and says first what is most certain. */
#define _GNU_SOURCE
#include "ckemon_crash.h"
#include "ckemon_crumb.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT};
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])
#define STACK_BYTES (64 * 1024)

static _Atomic(const uintptr_t *) plugin_names, handler_names;
static _Atomic(const char *const *) kind_names;
static _Atomic(uint32_t) kind_count;
static _Atomic(const uint64_t *) published;
static char report_path[512];
static struct sigaction previous[SIGNAL_COUNT];
static pthread_key_t stack_key;
static atomic_int is_installed, is_dying;

void ckemon_crash_set_plugin_names(const void *cells) { atomic_store(&plugin_names, cells); }
void ckemon_crash_set_handler_names(const void *cells) { atomic_store(&handler_names, cells); }
void ckemon_crash_set_published(const void *word) { atomic_store(&published, word); }

void ckemon_crash_set_kind_names(const char *const *names, uint32_t count) {
  atomic_store(&kind_names, names);
  atomic_store(&kind_count, count);
}

void ckemon_crash_set_report(const char *path) {
  size_t length = strnlen(path, sizeof report_path - 1);
  memcpy(report_path, path, length);
  report_path[length] = 0;
}

/* MARK: A line, put together without the C library's help */

typedef struct line {
  char text[1024];
  size_t length;
} line;

static void add(line *l, const char *text) {
  while (*text != 0 && l->length < sizeof l->text - 1) {
    unsigned char byte = (unsigned char)*text++;
    l->text[l->length++] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
  }
}

static void add_number(line *l, uint64_t number) {
  char digits[21];
  size_t place = sizeof digits - 1;
  digits[place] = 0;
  do {
    digits[--place] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  add(l, digits + place);
}

static void add_address(line *l, uintptr_t address) {
  static const char hex[] = "0123456789abcdef";
  char digits[2 * sizeof address + 1];
  size_t place = sizeof digits - 1;
  digits[place] = 0;
  do {
    digits[--place] = hex[address & 15];
    address >>= 4;
  } while (address != 0);
  add(l, "0x");
  add(l, digits + place);
}

static void add_name(line *l, _Atomic(const uintptr_t *) *names, uint32_t id) {
  const uintptr_t *cells = atomic_load(names);
  if (cells != NULL && (uint64_t)id + 1 < cells[0] && cells[id + 1] != 0) {
    add(l, (const char *)cells[id + 1]);
  } else {
    add(l, "number ");
    add_number(l, id);
  }
}

/* The fields of an event's header that are told, by their places in it; see kemon/event.h. */
static uint64_t event_field(const ckemon_crumb *crumb, size_t offset, size_t width) {
  uint64_t value = 0;
  memcpy(&value, (const char *)(uintptr_t)crumb->event + offset, width);
  return value;
}

/* "plugin X, handler Y, event Z" of a crumb that is not empty. */
static void add_crumb(line *l, const ckemon_crumb *crumb) {
  uint32_t handler = (uint32_t)(crumb->owner >> 32);
  add(l, "plugin ");
  add_name(l, &plugin_names, (uint32_t)crumb->owner);
  if (handler == CKEMON_CRUMB_CONTROL) {
    add(l, ", function ");
    add(l, (const char *)(uintptr_t)crumb->kind);
    return;
  }
  add(l, ", handler ");
  add_name(l, &handler_names, handler);
  uint32_t kind = (uint32_t)(crumb->kind >> 16) & 0xffff;
  uint32_t phase = (uint32_t)(crumb->kind >> 32) & 0xffff;
  const char *const *kinds = atomic_load(&kind_names);
  const char *name = kinds != NULL && kind < atomic_load(&kind_count) ? kinds[kind] : NULL;
  add(l, ", event ");
  if (name != NULL) {
    add(l, name);
  } else {
    add(l, "kind ");
    add_number(l, kind);
  }
  add(l, phase == 1 ? " (pre)" : phase == 2 ? " (post)" : "");
}

/* "seq N, pid P": from the event itself, which may be broken. */
static void add_event(line *l, const ckemon_crumb *crumb) {
  uint64_t seq = event_field(crumb, 24, 8);
  const uint64_t *count = atomic_load(&published);
  if (seq == 0 && count != NULL) {
    add(l, "next seq ");
    seq = __atomic_load_n(count, __ATOMIC_RELAXED) + 1;
  } else {
    add(l, "seq ");
  }
  add_number(l, seq);
  add(l, ", pid ");
  add_number(l, event_field(crumb, 64, 4));
}

static const char *signal_name(int number) {
  switch (number) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGILL: return "SIGILL";
  case SIGFPE: return "SIGFPE";
  case SIGSYS: return "SIGSYS";
  default: return "SIGABRT";
  }
}

/* The file first: standard error may be closed, or a pipe that nobody empties. */
static void put(int report, line *l) {
  l->text[l->length++] = '\n';
  ssize_t kept = report >= 0 ? write(report, l->text, l->length) : 0;
  ssize_t shown = write(2, l->text, l->length);
  (void)kept, (void)shown; /* Nobody is left to be told of a failure. */
  l->length = 0;
}

static int open_report(void) {
  return report_path[0] == 0 ? -1 : open(report_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Who else is in a handler now: the thread that died may be the plugin's own. */
static void put_others(int report, const ckemon_crumb *own) {
  for (uint32_t thread = 1; thread <= CKEMON_THREAD_LIMIT; thread++) {
    ckemon_crumb other = ckemon_crumbs[thread];
    if (other.owner == 0 || &ckemon_crumbs[thread] == own)
      continue;
    line l = {.length = 0};
    add(&l, "kemon-host: meanwhile: ");
    add_crumb(&l, &other);
    put(report, &l);
  }
}

static void say(const char *what, const uintptr_t *address) {
  /* The process shall die of what it died of, not of a pipe without a reader. */
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, NULL);
  const ckemon_crumb *crumb = ckemon_crumb_of(ckemon_thread_number_or_zero);
  int report = open_report();
  line l = {.length = 0};
  add(&l, "kemon-host: crash: ");
  add(&l, what);
  add(&l, " in ");
  if (crumb->owner == 0) {
    add(&l, "no handler");
  } else {
    add_crumb(&l, crumb);
  }
  put(report, &l);
  int has_event = crumb->owner != 0 && crumb->event != 0;
  if (address != NULL || has_event)
    add(&l, "kemon-host: crash: ");
  if (address != NULL) {
    add(&l, "address ");
    add_address(&l, *address);
    add(&l, has_event ? ", " : "");
  }
  if (has_event)
    add_event(&l, crumb);
  if (l.length > 0)
    put(report, &l);
  put_others(report, crumb);
  if (report >= 0)
    close(report);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  size_t index = 0;
  while (index < SIGNAL_COUNT - 1 && signals[index] != number)
    index++;
  /* From now on whatever happens ends the process at once, another crash in here included. */
  sigaction(number, &previous[index], NULL);
  if (atomic_exchange(&is_dying, 1) == 0) {
    uintptr_t address = (uintptr_t)info->si_addr;
    int has_address = number == SIGSEGV || number == SIGBUS;
    say(signal_name(number), has_address ? &address : NULL);
  }
  errno = saved;
  /* The instruction that failed fails again. A signal that was sent is sent once. */
  if (info->si_code <= 0)
    raise(number);
}

/* A plugin does not end the host with a status that says that all is well. */
static void on_exit_inside(void) {
  if (ckemon_crumb_of(ckemon_thread_number_or_zero)->owner != 0 && atomic_exchange(&is_dying, 1) == 0) {
    say("exit", NULL);
    _exit(EXIT_FAILURE);
  }
}

static void give_stack_back(void *memory) {
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(memory, STACK_BYTES);
}

int ckemon_crash_install(void) {
  if (atomic_exchange(&is_installed, 1) != 0)
    return 0;
  pthread_key_create(&stack_key, give_stack_back);
  ckemon_crash_prepare_thread();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t index = 0; index < SIGNAL_COUNT; index++)
    if (sigaction(signals[index], &action, &previous[index]) != 0)
      return -errno;
  return atexit(on_exit_inside) == 0 ? 0 : -ENOMEM;
}

void ckemon_crash_prepare_thread(void) {
  if (atomic_load(&is_installed) == 0)
    return;
  stack_t now;
  if (sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0)
    return;
  void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED)
    return;
  stack_t stack = {.ss_sp = memory, .ss_size = STACK_BYTES};
  sigaltstack(&stack, NULL);
  pthread_setspecific(stack_key, memory);
}
