/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>
#include <kemon/typed.hpp>

#include <cerrno>
#include <new>

KEMON_MANIFEST("{\"name\": \"typed-cxx\", \"version\": \"1.0.0\", \"abi\": 1}");

namespace {

/* Lets nobody but root open /etc/shadow, and nobody write to what is below /etc. */
struct Guard {
  kemon::typed_handlers handlers;

  kemon_status add(const kemon_host *host, kemon_error *error) noexcept {
    kemon::subject opens{"file.open", KEMON_PHASE_PRE};
    opens.filter = "path ^= '/etc/'";
    opens.on_fault = KEMON_FAIL_DENY;
    return handlers.on(host, error, opens, kemon::names("path", "flags", "subject.uid"),
                       [](std::string_view path, int32_t flags, uint32_t uid, kemon_verdict &verdict) {
                         if (uid != 0 && path == "/etc/shadow")
                           kemon_deny(&verdict, EACCES, "for root only");
                         else if ((flags & 3) != 0)
                           kemon_deny(&verdict, EROFS, "read only");
                       });
  }
};

void *create(const kemon_host *host, const kemon_create *, kemon_error *error) noexcept {
  auto *self = new (std::nothrow) Guard;
  if (self != nullptr && self->add(host, error) == KEMON_OK)
    return self;
  delete self;
  return nullptr;
}

void destroy(void *self) noexcept { delete static_cast<Guard *>(self); }

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
