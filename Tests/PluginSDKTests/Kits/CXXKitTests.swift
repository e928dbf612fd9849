// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

/// `kemon/plugin.hpp`, by a plugin that uses all of it.
@Suite(.enabled(if: Command.exists("c++"), "needs c++")) struct CXXKitTests {
  private static let source = """
    #include <kemon/plugin.hpp>
    #include <cerrno>

    namespace {
    struct everything : kemon::plugin {
      everything(kemon::host host, const kemon_create &given)
          : plugin(host), reason(host.string("reason").value_or("none")),
            state(static_cast<const char *>(given.state), given.state_len) {
        if (auto limit = host.integer("limit"); limit && *limit < 0)
          throw std::invalid_argument("limit: must be 0 or more");
        if (host.boolean("refuse").value_or(false))
          throw 7;
        fails = host.boolean("fails").value_or(false);
        kemon::handler_options options;
        options.filter = "path ^= '/etc/'";
        options.on_fault = KEMON_FAIL_DENY;
        options.cache_fields = KEMON_CACHE_PATH;
        options.timeout_ns = 5000000;
        options.on_timeout = KEMON_FAIL_ALLOW;
        token = on("file.open", KEMON_PHASE_PRE, options, [this](kemon::event event) {
          auto *file = event.payload<kemon_file>();
          if (file == nullptr)
            throw std::runtime_error("short");
          std::string_view path = event.text(file->path);
          if (path == "/etc/throw")
            throw 1;
          return path == "/etc/deny"    ? kemon::deny(EACCES, reason.c_str()).with_code(9)
                 : path == "/etc/allow" ? kemon::allow().cacheable()
                 : path == "/etc/mask"  ? kemon::allow_only(3)
                                        : kemon::abstain();
        });
        on("file.open", KEMON_PHASE_POST, [](kemon::event) { return kemon::replace_result(5, "other"); });
        observe("process.*", {}, [host](kemon::event event) {
          host.write(event->kind == KEMON_KIND_PROCESS_EXEC ? "exec" : "before");
        });
      }
      void start() override {
        if (fails)
          throw std::runtime_error("not today");
        the_host().log(KEMON_LOG_INFO, "started");
      }
      void reconfigure() override { reason = the_host().string("reason").value_or("none"); }
      kemon_status save(kemon_sink &sink) override {
        if (state == "full")
          throw 2;
        std::string next = state + "+" + std::to_string(token);
        return sink.write(&sink, next.data(), next.size());
      }
      void stop() noexcept override { the_host().log(KEMON_LOG_INFO, "stopped"); }
      ~everything() override { the_host().log(KEMON_LOG_INFO, "gone"); }
      std::string reason;
      std::string state;
      uint64_t token = 0;
      bool fails = false;
    };
    struct bare : kemon::plugin {
      explicit bare(kemon::host host) : plugin(host) {}
    };
    constexpr kemon_plugin without = kemon::exported<bare>::table();
    static_assert(without.reconfigure == nullptr && without.save == nullptr, "the host is told that there is none");
    } // namespace
    KEMON_CXX_PLUGIN(everything, "{\\"name\\": \\"everything\\", \\"version\\": \\"1.0.0\\", \\"abi\\": 1}");
    """

  private func library(in folder: ScratchFolder) throws -> PluginLibrary {
    let source = try folder.write(Self.source, to: "everything.cc")
    let library = folder.file("libeverything.so")
    let result = try #require(Command("c++")).run([
      "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC",
      "-fvisibility=hidden", "-I", Checkout.sdk.appending(path: "include").path, source, "-o",
      library,
    ])
    try #require(result.status == 0, "\(result.text)")
    return try PluginLibrary(path: library)
  }

  @Test func `a lambda's vote arrives, and an exception is a fault`() throws {
    let folder = try ScratchFolder()
    let host = FakeHost(config: ["reason": "no"])
    let plugin = try library(in: folder).run(in: host)
    #expect(host.handlers.map(\.name) == ["file.open.pre", "file.open.post", "observe.process.*"])
    #expect(
      host.handlers[0].filter == "path ^= '/etc/'" && host.handlers[0].onFault == KEMON_FAIL_DENY)
    let answer = { (path: String) in
      try #require(host.vote(Samples.file(KEMON_KIND_FILE_OPEN_PRE, path)).first)
    }
    let denial = try answer("/etc/deny")
    #expect(denial.action == .deny && denial.error == 13 && denial.reason == "no")
    #expect(try answer("/etc/allow").action == .allow)
    let mask = try answer("/etc/mask")
    #expect(mask.action == .modify && mask.allowMask == 3)
    let nothing = try answer("/etc/other")
    #expect(nothing.action == .abstain && nothing.allowMask == .max)
    #expect(try answer("/etc/throw").status == KEMON_E_FAILED)
    let post = try #require(host.vote(Samples.file(KEMON_KIND_FILE_OPEN, "/etc/x")).first)
    #expect(post.action == .modify && post.result == 5)
    host.observe(Samples.exec(KEMON_KIND_PROCESS_EXEC))
    #expect(host.takeOutput() == "exec")
    plugin.stop()
    #expect(host.log == ["3 started", "3 stopped", "3 gone"])
  }

  @Test func `a budget, another configuration and the state reach the other side`() throws {
    let folder = try ScratchFolder()
    let library = try library(in: folder)
    let host = FakeHost(config: ["reason": "first"])
    let plugin = try library.run(in: host, state: Array("before".utf8))
    #expect(host.handlers.map(\.timeout) == [5_000_000, 0, 0])
    #expect(host.handlers.map(\.onTimeout) == [KEMON_FAIL_ALLOW, 0, 0])
    let reason = {
      try #require(host.vote(Samples.file(KEMON_KIND_FILE_OPEN_PRE, "/etc/deny")).first?.reason)
    }
    #expect(try reason() == "first")
    let failure = #expect(throws: PluginLibrary.Failure.self) {
      try plugin.reconfigure(["reason": 5])
    }
    #expect(failure?.description == "reason: must be a string")
    #expect(try reason() == "first")
    #expect(try plugin.reconfigure(["reason": "second"]))
    #expect(try reason() == "second")
    #expect(try plugin.save() == Array("before+1".utf8))
    plugin.stop()
    let full = try library.run(in: FakeHost(), state: Array("full".utf8))
    #expect(throws: PluginLibrary.Failure.self) { try full.save() }
  }

  @Test(
    arguments: [
      (["limit": -1], "limit: must be 0 or more"), (["reason": 5], "reason: must be a string"),
      (["refuse": 3], "refuse: must be true or false"),
      (["refuse": true], "an exception without a text"), (["fails": true], "not today"),
    ] as [(ConfigValue, String)])
  func `what a constructor or start throws is told`(config: ConfigValue, message: String) throws {
    let folder = try ScratchFolder()
    let library = try library(in: folder)
    let failure = #expect(throws: PluginLibrary.Failure.self) {
      try library.run(in: FakeHost(config: config))
    }
    #expect(failure?.description == message)
  }
}
