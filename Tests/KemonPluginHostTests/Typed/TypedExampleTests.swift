// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// The examples with named arguments, built as their READMEs say, in the host.
@Suite(.serialized) struct TypedExampleTests {
  private static let examples = Checkout.sdk.appending(path: "examples")

  private func check(
    _ library: String, lane: CallLane, isolate: IsolationPolicy = .none
  ) throws {
    let test = try TestHost()
    try test.folder.copy(library, to: "example.so")
    let report = test.load(isolate: isolate)
    #expect(report.problems.isEmpty, "\(report.problems)")
    #expect(test.host.start().isEmpty)
    let handler = try #require(report.loaded.first?.handlers.first)
    // The host's own function stands for that of a plugin in another process.
    #expect(handler.lane == (report.loaded.first?.worker == nil ? lane : nil))
    let refused = test.open("/etc/shadow", uid: 7)
    #expect(refused.isDenied && refused.error == EACCES)
    #expect(!test.open("/etc/shadow", uid: 0).isDenied)
    let written = test.open("/etc/hosts", flags: 1, uid: 0)
    #expect(written.isDenied && written.error == EROFS)
    #expect(!test.open("/tmp/x", flags: 1, uid: 7).isDenied)
    test.host.stop()
  }

  @Test(
    .enabled(if: Command.exists("c++"), "needs c++"), arguments: ["c++17", "c++20"])
  func `the example in C++ builds with a plain compiler`(standard: String) throws {
    let folder = try ScratchFolder()
    let library = folder.file("libtyped-cxx.so")
    let result = try #require(Command("c++")).run([
      "-std=\(standard)", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC",
      "-fvisibility=hidden", "-I", Checkout.sdk.appending(path: "include").path,
      Self.examples.appending(path: "typed-cxx/plugin.cc").path, "-o", library,
    ])
    #expect(result.status == 0, "\(result.text)")
    chmod(library, 0o755)
    try check(library, lane: .fast)
    try check(library, lane: .fast, isolate: .all)
  }

  @Test(.enabled(if: Command.exists("swift"), "needs swift"), .timeLimit(.minutes(10)))
  func `the example in Swift builds as a package of its own`() throws {
    let folder = try ScratchFolder()
    let result = try #require(Command("swift")).run([
      "build", "--package-path", Self.examples.appending(path: "typed-swift").path,
      "--scratch-path", folder.url.path, "--product", "typed-swift",
    ])
    #expect(result.status == 0, "\(result.text)")
    let library = folder.file("debug/libtyped-swift.so")
    chmod(library, 0o755)
    try check(library, lane: .words)
  }

  /// What leaves a lambda as an exception, and what its parameters may be.
  @Test(.enabled(if: Command.exists("c++"), "needs c++"))
  func `an exception is a fault, and every kind of parameter arrives`() throws {
    let folder = try ScratchFolder()
    let library = folder.file("lambdas.so")
    let result = try #require(Command("c++")).run([
      "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC",
      "-I", Checkout.sdk.appending(path: "include").path,
      Checkout.fixture("Plugins/lambdas.cc").path, "-o", library,
    ])
    #expect(result.status == 0, "\(result.text)")
    chmod(library, 0o755)
    let test = try TestHost()
    try test.folder.copy(library, to: "lambdas.so")
    let report = test.load()
    #expect(report.problems.isEmpty, "\(report.problems)")
    #expect(test.host.start().isEmpty)
    #expect(
      report.loaded.first?.handlers.map { $0.signature ?? "" } == [
        "path:z path.none?:b mode:I flags?:*i none?:*L event:e subject.uid:d payload.path:b",
        "path:b",
      ])
    let verdict = test.open("/x", flags: -2, mode: 5, uid: 9)
    #expect(verdict.isDenied && verdict.error == EPERM, "the thrower's on_fault")
    #expect(test.collector.lines == ["/x 5 -2 9 2"])
    #expect(test.dispatcher.handlerStatistics().map(\.faults).reduce(0, +) == 1)
    test.host.stop()
  }
}
