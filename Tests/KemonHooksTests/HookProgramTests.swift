// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import Foundation
  import KemonTestSupport
  import Testing

  /// Programs in C that use libKemonHooks.so, built as their authors would.
  @Suite(.serialized, .enabled(if: Command.exists("cc"), "there is no C compiler"))
  struct HookProgramTests {
    private static let library = Products.folder.appending(path: "libKemonHooks.so").path
    // A sanitized library needs a sanitized program.
    private static let isPlain =
      !Sanitizer.isThere && FileManager.default.fileExists(atPath: library)

    private func compile(_ source: URL, _ flags: [String], to program: String) throws {
      let result = try #require(Command("cc")).run(
        ["-std=c17", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source.path]
          + ["-o", program] + flags)
      try #require(result.status == 0, "\(result.text)")
    }

    /// Flags for the library as it was built.
    private static let built = [
      "-I", Checkout.sdk.appending(path: "include").path, "-L", Products.folder.path,
      "-lKemonHooks", "-Wl,-rpath,\(Products.folder.path)",
    ]

    private static let example = Checkout.sdk.appending(path: "examples/hook-c/hook.c")

    private func checkExample(_ program: String) throws {
      let result = try Command(path: program).run([])
      #expect(result.status == 0, "\(result.text)")
      #expect(
        result.output == """
          labs(-1) was called as labs(-42) and returned 42
          the program saw 7; without the hook 1
          atoi("21") was 42 and is 21

          """)
    }

    @Test(.enabled(if: isPlain, "needs a libKemonHooks.so without sanitizers"))
    func `the example builds with a plain compiler and does what it says`() throws {
      let folder = try ScratchFolder()
      try compile(Self.example, Self.built, to: folder.file("hook"))
      try checkExample(folder.file("hook"))
    }

    /// Installs the SDK with the library and returns the prefix.
    private func install() throws -> ScratchFolder {
      let prefix = try ScratchFolder()
      let build = try ScratchFolder()
      let cmake = try #require(Command("cmake"))
      for arguments in [
        ["-S", Checkout.sdk.path, "-B", build.path, "-DKEMON_HOOKS_LIBRARY=\(Self.library)"],
        ["--install", build.path, "--prefix", prefix.path],
      ] {
        let result = try cmake.run(arguments)
        try #require(result.status == 0, "\(result.text)")
        #expect(!result.text.contains("Warning"), "\(result.text)")
      }
      return prefix
    }

    @Test(
      .enabled(
        if: isPlain && Command.exists("cmake") && Command.exists("pkg-config"),
        "needs cmake, pkg-config and a libKemonHooks.so without sanitizers"))
    func `the installed library serves pkg-config`() throws {
      let prefix = try install()
      let folder = try ScratchFolder()
      let flags = try #require(Command("pkg-config")).run(
        ["--cflags", "--libs", "kemon-hooks"],
        environment: ["PKG_CONFIG_PATH": prefix.file("share/pkgconfig")])
      try #require(flags.status == 0, "\(flags.text)")
      let words = flags.output.split(whereSeparator: \.isWhitespace).map(String.init)
      try compile(
        Self.example, words + ["-Wl,-rpath,\(prefix.file("lib"))"], to: folder.file("hook"))
      try checkExample(folder.file("hook"))
    }

    @Test(
      .enabled(
        if: isPlain && Command.exists("cmake"),
        "needs cmake and a libKemonHooks.so without sanitizers"))
    func `the installed library serves CMake`() throws {
      let prefix = try install()
      let folder = try ScratchFolder()
      let cmake = try #require(Command("cmake"))
      for arguments in [
        [
          "-S", Self.example.deletingLastPathComponent().path, "-B", folder.path,
          "-DCMAKE_PREFIX_PATH=\(prefix.path)",
        ], ["--build", folder.path],
      ] {
        let result = try cmake.run(arguments)
        try #require(result.status == 0, "\(result.text)")
      }
      try checkExample(folder.file("hook"))
    }

    @Test(
      .enabled(
        if: isPlain && Command.exists("gdb"),
        "needs gdb and a libKemonHooks.so without sanitizers"))
    func `gdb's backtrace goes from a handler, and from the function, to the program`() throws {
      let folder = try ScratchFolder()
      let program = folder.file("backtrace")
      try compile(Checkout.fixture("HookPrograms/backtrace.c"), Self.built, to: program)
      let result = try #require(Command("gdb")).run([
        "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "run", "-ex", "backtrace",
        "-ex", "continue", "-ex", "backtrace", "-ex", "continue", program,
      ])
      let traces = result.output.components(separatedBy: "received signal SIGTRAP").dropFirst()
      try #require(traces.count == 2, "\(result.text)")
      for (trace, first) in zip(traces, ["before_the_call", "watched_function"]) {
        expect(trace, inOrder: [" \(first) (", " calling_function (", " main ("])
        #expect(!trace.contains("corrupt stack"), "\(trace)")
      }
      #expect(result.output.contains("result 24"), "\(result.text)")
    }

    private func expect(_ text: String, inOrder names: [String]) {
      var rest = text[...]
      for name in names {
        guard let found = rest.range(of: name) else {
          Issue.record("no \(name) in\n\(text)")
          return
        }
        rest = rest[found.upperBound...]
      }
    }

    @Test(.enabled(if: isPlain, "needs a libKemonHooks.so without sanitizers"))
    func `Swift's backtrace of a crash goes from the function to the program`() throws {
      let folder = try ScratchFolder()
      let program = folder.file("backtrace")
      try compile(
        Checkout.fixture("HookPrograms/backtrace.c"), Self.built + ["-fno-omit-frame-pointer"],
        to: program)
      let settings = "enable=yes,color=no,interactive=no,timeout=60s,threads=crashed,sanitize=no"
      let result = try Command(path: program).run(
        ["crash"], environment: ["SWIFT_BACKTRACE": settings])
      #expect(result.status == 128 + SIGSEGV)
      expect(result.text, inOrder: ["watched_function", "calling_function", "main"])
    }
  }
#endif
