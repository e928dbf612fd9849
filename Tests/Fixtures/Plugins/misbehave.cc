// SPDX-License-Identifier: Apache-2.0
//
// Does what its configuration says as "how", at every event of "kind" (every one) that can be denied, within "budget"
// milliseconds (0 = none).
#include <cstdlib>
#include <kemon/kemon.h>
#include <pthread.h>
#include <string>
#include <unistd.h>

KEMON_MANIFEST("{\"name\": \"misbehave\", \"version\": \"1.0.0\", \"abi\": 1}");

namespace {
const kemon_host *host;
std::string how, kind;
int64_t budget;

// Deeper than any stack; the compiler shall not make a loop of it.
__attribute__((noinline)) int fall(volatile char *above) {
  volatile char page[4096];
  page[0] = above ? above[0] : 1;
  return fall(page) + page[0];
}

void *call_from_thread(void *) {
  kemon_handler handler = {};
  host->on(host, &handler, nullptr, nullptr);
  return nullptr;
}

kemon_status act(void *, const kemon_event *event, kemon_verdict *verdict) {
  if (how == "crash")
    *reinterpret_cast<volatile int *>(16) = 1;
  if (how == "abort")
    abort();
  if (how == "exit")
    exit(0);
  if (how == "_exit")
    _exit(0);
  if (how == "throw")
    throw 1;
  if (how == "hang")
    for (;;)
      pause();
  if (how == "slow")
    usleep(static_cast<useconds_t>(budget) * 2000);
  if (how == "leak")
    for (volatile char *p = static_cast<char *>(malloc(8 << 20)), *q = p; q && q < p + (8 << 20); q += 4096)
      *q = 1;
  if (how == "wrong-thread") {
    pthread_t thread;
    pthread_create(&thread, nullptr, call_from_thread, nullptr);
    pthread_join(thread, nullptr);
    call_from_thread(nullptr);
  }
  if (how == "overflow")
    return fall(nullptr);
  if (how == "write-event")
    const_cast<kemon_event *>(event)->subject.pid = 4242;
  if (how == "close-fds")
    for (int fd = 0; fd < 1024; fd++)
      close(fd);
  if (how == "fault")
    return KEMON_E_FAILED;
  if (how == "answer")
    verdict->action = 99;
  return KEMON_OK;
}

void *create(const kemon_host *h, const kemon_create *, kemon_error *e) {
  const auto *config = static_cast<const kemon_ext_config *>(h->ext(h, KEMON_EXT_CONFIG));
  host = h;
  const char *text = config->string(h, "how");
  how = text ? text : "";
  config->integer(h, "budget", &budget);
  text = config->string(h, "kind");
  kind = text ? text : "*";
  kemon_handler handler = {};
  handler.size = sizeof handler;
  handler.name = "act";
  handler.kind = kind.c_str();
  handler.fn = act;
  handler.phase = KEMON_PHASE_PRE;
  handler.on_fault = KEMON_FAIL_DENY;
  handler.timeout_ns = static_cast<uint64_t>(budget) * 1000000;
  handler.on_timeout = KEMON_FAIL_DENY;
  return h->on(h, &handler, nullptr, e) == KEMON_OK ? &host : nullptr;
}

const kemon_plugin plugin = [] {
  kemon_plugin table = {};
  table.size = sizeof table;
  table.abi = KEMON_ABI;
  table.create = create;
  return table;
}();
} // namespace

extern "C" KEMON_EXPORT const kemon_plugin *kemon_plugin_v1(kemon_hello *) { return &plugin; }
