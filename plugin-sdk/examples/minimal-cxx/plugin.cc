/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

#include <atomic>
#include <cerrno>
#include <new>

KEMON_MANIFEST("{\"name\": \"minimal-cxx\", \"version\": \"1.0.0\", \"abi\": 1}");

namespace {

/* Lets the first thousand programs run and no more: a lane counts, so the counter is atomic. */
struct Counter {
  std::atomic<unsigned> count{0};

  static kemon_status on_exec(void *self, const kemon_event *, kemon_verdict *verdict) noexcept {
    bool is_enough = ++static_cast<Counter *>(self)->count > 1000;
    return is_enough ? kemon_deny(verdict, EAGAIN, "a thousand is enough") : KEMON_OK;
  }
};

void *create(const kemon_host *host, const kemon_create *, kemon_error *error) noexcept {
  auto *self = new (std::nothrow) Counter;
  kemon_handler handler{};
  handler.size = sizeof handler;
  handler.name = "count";
  handler.kind = "process.exec";
  handler.phase = KEMON_PHASE_PRE;
  handler.fn = Counter::on_exec;
  handler.ctx = self;
  if (self != nullptr && host->on(host, &handler, nullptr, error) == KEMON_OK)
    return self;
  delete self;
  return nullptr;
}

void destroy(void *self) noexcept { delete static_cast<Counter *>(self); }

/* Field by field: a struct that has grown since still gets zeros. */
constexpr kemon_plugin table() {
  kemon_plugin table{};
  table.size = sizeof table;
  table.abi = KEMON_ABI;
  table.create = create;
  table.destroy = destroy;
  return table;
}

constexpr kemon_plugin plugin = table();

} // namespace

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) { return kemon_speaks(hello) ? &plugin : nullptr; }
