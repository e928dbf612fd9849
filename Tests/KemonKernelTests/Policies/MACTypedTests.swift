// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonPlatform
import KemonPluginHost
import KemonTestSupport
import Testing

@testable import KemonKernel

/// One binary on kernels that have changed an operation's prototype: CASE 2 of the slides.
@Suite(.enabled(if: Command.exists("cc"), "needs cc")) struct MACTypedTests {
  /// Keeps what the plugin writes.
  private final class Lines: OutputSink, LogSink {
    private let content = PosixLock<[String]>([])
    var all: [String] { content.withLock { $0 } }

    func write(_ bytes: UnsafeRawBufferPointer, mayWait: Bool) -> OutputResult {
      content.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      return .accepted
    }

    func log(_ level: LogLevel, source: String, _ message: UnsafeRawBufferPointer) {
      _ = write(message, mayWait: false)
    }
  }

  /// A kernel with a policy that checks signatures, and the plugin in front of it.
  private final class Kernel {
    let lab: MACLab
    let lines = Lines()
    let host: PluginHost
    let report: LoadReport
    let life = Life()
    private let folder: ScratchFolder

    /// - Parameter running: which kernel the plugin is told of when it registers; nil for none.
    init(_ release: String, _ plugin: String, running: String?) throws {
      lab = try MACLab(release)
      folder = try ScratchFolder()
      try folder.copy(plugin, to: "guard.so")
      host = PluginHost(
        dispatcher: lab.dispatcher, ring: lab.ring, clock: EventClock(), mode: .run, output: lines,
        log: lines, operations: .mac(running: running.flatMap { KernelRelease.named($0) }))
      report = host.load(directories: [folder.path])
      _ = host.start()
      try lab.framework.watch(nil)
      try lab.register(
        "p",
        [
          MACHandler("vnode_check_signature") { [life] words in
            life.note("check", words)
            return 0
          }
        ])
    }

    deinit { host.stop() }

    /// Asks with arguments by name; the others are 0.
    func check(_ arguments: [String: UInt64]) throws -> Int32 {
      let table = lab.framework.table
      let operation = table.slots[try #require(table.slot(of: "vnode_check_signature"))]
      let words = operation.wordNames.map { arguments[$0] ?? 0 }
      return lab.framework.ask(lab.framework.slot("vnode_check_signature"), words)
    }
  }

  private static func build(_ flags: [String] = []) throws -> (ScratchFolder, String) {
    let folder = try ScratchFolder()
    let path = folder.file("signature-guard.so")
    let result = try #require(Command("cc")).run(
      [
        "-std=gnu11", "-shared", "-fPIC", "-I\(Checkout.sdk.appending(path: "include").path)",
        Checkout.fixture("Plugins/signature-guard.c").path, "-o", path,
      ] + flags)
    try #require(result.status == 0, "\(result.text)")
    chmod(path, 0o755)
    return (folder, path)
  }

  @Test func `a pattern names kinds if there are some, and operations otherwise`() {
    let catalog = OperationCatalog.mac()
    #expect(catalog.operations(matching: "mac.*").isEmpty)
    #expect(catalog.operations(matching: "mac.policy_register").isEmpty)
    #expect(catalog.operations(matching: "mac.vnode_check_open") == ["mpo_vnode_check_open"])
    #expect(catalog.operations(matching: "mac.vnode_check_*").count > 10)
  }

  @Test func `the prototypes differ`() throws {
    #expect(MACRelease.named("10.12.6")?.opsVersion == 47)
    #expect(MACRelease.named("10.13")?.opsVersion == 52)
    let prototypes = OperationCatalog.mac().prototypes(of: "mpo_vnode_check_signature")
    #expect(prototypes.count == 8)
    #expect(prototypes.last?.names.firstIndex(of: "flags") == 6)
  }

  @Test(arguments: [
    (
      "10.12.6", "p: flags 0x2, cs_flags 0xc5, signer_type none",
      "p: flags 0x12, cs_flags 0xc5, signer_type none"
    ),
    (
      "10.13.6", "p: flags 0x2, cs_flags 0xc5, signer_type 0x51",
      "p: flags 0x12, cs_flags 0xc5, signer_type 0x51"
    ),
    (
      "10.15", "p: flags 0x2, cs_flags 0xc5, signer_type 0x51",
      "p: flags 0x12, cs_flags 0xc5, signer_type 0x51"
    ),
  ])
  func `one binary reads and denies on every prototype`(
    release: String, first: String, second: String
  ) throws {
    let (folder, plugin) = try Self.build()
    try withExtendedLifetime(folder) {
      for running in [release, nil] {
        let kernel = try Kernel(release, plugin, running: running)
        #expect(kernel.report.problems.isEmpty, "\(kernel.report.problems)")
        let arguments: [String: UInt64] = ["cs_flags": 0xC5, "signer_type": 0x51]
        #expect(try kernel.check(arguments.merging(["flags": 2]) { $1 }) == 0)
        #expect(try kernel.check(arguments.merging(["flags": 0x12]) { $1 }) == 13)
        #expect(kernel.lines.all == [first, second])
        #expect(kernel.life.steps.count == 1, "the denied call did not reach the policy")
      }
    }
  }

  @Test func `what only later kernels have is refused at registration, and says since when`()
    throws
  {
    let (folder, plugin) = try Self.build([
      "-DSIGNATURE=\"flags:i cs_flags:p signer_type:*p policy:z\""
    ])
    try withExtendedLifetime(folder) {
      let old = try Kernel("10.12.6", plugin, running: "10.12.6")
      let problem = try #require(old.report.problems.first)
      #expect(
        problem.description.contains(
          "mpo_vnode_check_signature of macOS 10.12.6 has no \"signer_type\"; it is there since "
            + "macOS 10.13 (ops 52): write signer_type? to run on both"), "\(problem)")
      #expect(try old.check(["flags": 0x10]) == 0)
      let new = try Kernel("10.13.6", plugin, running: "10.13.6")
      #expect(new.report.problems.isEmpty)
      #expect(try new.check(["flags": 0x10]) == 13)
      // Nothing is known of the kernel when plugins are loaded: its events are faults then, and on_fault denies.
      let unknown = try Kernel("10.12.6", plugin, running: nil)
      #expect(unknown.report.problems.isEmpty)
      #expect(try unknown.check(["flags": 0]) == 1)
      #expect(
        unknown.lines.all == [
          "signature \"flags:i cs_flags:p signer_type:*p policy:z\": mpo_vnode_check_signature has "
            + "no \"signer_type\""
        ])
    }
  }

  @Test(arguments: [
    ("flags:I", "flags\" of mpo_vnode_check_signature is int since"),
    ("flgas:i", "has no \"flgas\"; near: flags"),
  ])
  func `misspelled names and wrong types are refused`(signature: String, message: String) throws {
    let (folder, plugin) = try Self.build(["-DSIGNATURE=\"\(signature)\""])
    try withExtendedLifetime(folder) {
      for running in ["10.13.6", nil] {
        let kernel = try Kernel("10.13.6", plugin, running: running)
        let problem = try #require(kernel.report.problems.first)
        #expect(problem.description.contains(message), "\(problem)")
      }
    }
  }
}
