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
  const kemon_handler handler{sizeof handler, 0, "count", "process.exec", nullptr, Counter::on_exec, self,
                              KEMON_PHASE_PRE, KEMON_FAIL_ABSTAIN, 0, 0, 0, 0};
  if (self != nullptr && host->on(host, &handler, nullptr, error) == KEMON_OK)
    return self;
  delete self;
  return nullptr;
}

void destroy(void *self) noexcept { delete static_cast<Counter *>(self); }

constexpr kemon_plugin plugin{sizeof(kemon_plugin), KEMON_ABI, create, nullptr, nullptr, destroy};

} // namespace

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) { return kemon_speaks(hello) ? &plugin : nullptr; }
