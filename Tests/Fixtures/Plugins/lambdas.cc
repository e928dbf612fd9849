/* SPDX-License-Identifier: Apache-2.0
 *
 * Handlers from lambdas: one gets every kind of parameter and writes what it saw, one throws.
 */
#include <kemon/kemon.h>
#include <kemon/typed.hpp>

#include <cstdio>
#include <stdexcept>

KEMON_MANIFEST("{\"name\": \"lambdas\", \"version\": \"1.0.0\", \"abi\": 1}");

static kemon::typed_handlers handlers;

static void *create(const kemon_host *host, const kemon_create *, kemon_error *error) {
  auto see = [host, calls = 0](const char *path, kemon_span none, uint32_t mode, std::optional<int32_t> flags,
                               const uint64_t *nothing, const kemon_event *event, double uid, std::string_view bytes,
                               kemon_verdict &) mutable {
    char line[128];
    calls++;
    if (none.data == nullptr && nothing == nullptr && event->kind == KEMON_KIND_FILE_OPEN_PRE && calls == 1)
      std::snprintf(line, sizeof line, "%s %u %d %g %zu", path, mode, *flags, uid, bytes.size());
    else
      std::snprintf(line, sizeof line, "wrong");
    auto *output = static_cast<const kemon_ext_output *>(host->ext(host, KEMON_EXT_OUTPUT));
    output->write(host, line, strlen(line));
  };
  /* "?" belongs to a name for those types that do not say it themselves. */
  kemon_status status = handlers.on(
      host, error, {"file.open", KEMON_PHASE_PRE},
      kemon::names("path", "path.none?", "mode", "flags", "none", "event", "subject.uid", "payload.path"), see);
  kemon::subject thrown{nullptr, KEMON_PHASE_PRE};
  thrown.name = "thrower";
  thrown.on_fault = KEMON_FAIL_DENY;
  if (status == KEMON_OK)
    status = handlers.on<"file.open", "path">(host, error, thrown, [](std::string_view path, kemon_verdict &) {
      if (!path.empty())
        throw std::runtime_error("thrown");
    });
  return status == KEMON_OK ? &handlers : nullptr;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *) {
  static kemon_plugin plugin{};
  plugin.size = sizeof plugin;
  plugin.abi = KEMON_ABI;
  plugin.create = create;
  return &plugin;
}
