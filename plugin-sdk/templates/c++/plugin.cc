// SPDX-License-Identifier: Apache-2.0
// my-guard: only root opens what its configuration calls secret.
#include <kemon/plugin.hpp>

#include <cerrno>

namespace {

class MyGuard : public kemon::plugin {
public:
  // [control] What it throws is shown to the operator.
  explicit MyGuard(kemon::host host) : plugin(host), secret_(host.string("secret").value_or("/etc/shadow")) {
    kemon::handler_options options;
    options.on_fault = KEMON_FAIL_DENY;
    // [lane] Called before a file is opened; the one who opens it waits for the answer.
    on("file.open", KEMON_PHASE_PRE, options, [this](kemon::event event) {
      auto *file = event.payload<kemon_file>();
      if (file == nullptr)
        throw std::runtime_error("a producer older than file.open"); // on_fault decides
      if (event->subject.uid == 0 || event.text(file->path) != secret_)
        return kemon::abstain();
      return kemon::deny(EACCES, "for root only");
    });
  }

private:
  // Lanes read it at the same time, so it never changes.
  const std::string_view secret_;
};

} // namespace

KEMON_CXX_PLUGIN(MyGuard, "{\"name\": \"my-guard\", \"version\": \"0.1.0\", \"abi\": 1,"
                          " \"description\": \"Only root opens secrets.\","
                          " \"extensions\": [\"kemon.config/1\"]}");
