/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts the files that are opened, says the number as reason code, and leaves it to the next generation. Ends its process
 * at /die, in the handler, or does not return at /hang; /hoard is as /die, only that the ends of its channels stay open.
 * With RETURNS it does not get ready again, with STATE_BYTES its state has so many.
 */
#define _GNU_SOURCE
#include <kemon/kemon.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

KEMON_MANIFEST("{\"name\": \"counter\", \"version\": \"1.0.0\", \"abi\": 1}");

static uint32_t count;

static int is(const kemon_event *event, const char *path) {
  const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
  return file != NULL && strcmp(kemon_str_ptr(event, file->path), path) == 0;
}

/* Sends descriptors to the host, which reads the byte, if anything, and keeps them in the socket's queue until then. */
static void hoard(void) {
  int ends[] = {1, 2, 3};
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof ends)];
  } control = {.head = {CMSG_LEN(sizeof ends), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.head), ends, sizeof ends);
  struct iovec byte = {"", 1};
  struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (sendmsg(3, &message, MSG_NOSIGNAL) == 1)
    abort();
}

static kemon_status number(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  if (is(event, "/die"))
    abort();
  if (is(event, "/hoard"))
    hoard();
  while (is(event, "/hang"))
    pause();
  if (is(event, "/late"))
    usleep(150000);
  count++;
  return kemon_say(verdict, KEMON_ALLOW, 0, count, "");
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  kemon_handler handler = {.size = sizeof handler, .name = "number", .kind = "file.open", .fn = number,
                           .phase = KEMON_PHASE_PRE, .on_fault = KEMON_FAIL_DENY};
#ifdef RETURNS
  while (c->state_len > 0)
    pause();
#endif
  if (c->state_len == sizeof count)
    memcpy(&count, c->state, sizeof count);
  return h->on(h, &handler, NULL, e) == KEMON_OK ? &count : NULL;
}

static kemon_status save(void *self, kemon_sink *sink) {
#ifdef STATE_BYTES
  static char bytes[STATE_BYTES];
  return count > 1 ? sink->write(sink, bytes, sizeof bytes) : sink->write(sink, self, sizeof count);
#else
  return sink->write(sink, self, sizeof count);
#endif
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .save = save};
  return &plugin;
}
