// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// Policies in C, compiled here and registered by their own code.
@Suite(.enabled(if: Command.exists("cc"), "needs a C compiler"))
struct MACPolicyLibraryTests {
  private static let warnings = ["-std=c17", "-Wall", "-Wextra", "-Werror"]

  private func compile(_ scratch: ScratchFolder, _ sources: String..., to file: String) throws {
    let compiler = try #require(Command("cc"))
    let result = try compiler.run(
      Self.warnings + ["-shared", "-fPIC", "-I", scratch.path, "-o", scratch.file(file)] + sources)
    try #require(result.status == 0, "\(result.errors)")
  }

  private func library(for release: String = "10.13.6") throws -> (ScratchFolder, MACPolicyLibrary)
  {
    let scratch = try ScratchFolder()
    let header = MACHeader(try #require(MACRelease.named(release)))
    try scratch.write(header.text, to: "mac_policy.h")
    let source = Checkout.sdk.appending(path: "examples/mac-policy/policy.c").path
    try compile(scratch, source, to: "policy.so")
    return (scratch, try MACPolicyLibrary(path: scratch.file("policy.so")))
  }

  @Test func `a policy in C registers, decides and goes by its own code`() throws {
    let (_, library) = try library()
    let lab = try MACLab()
    #expect(try library.start(in: lab.framework) == 0)
    let policy = try #require(try lab.framework.list().first)
    #expect(policy.name == "read_only" && policy.fullName == "Nobody writes")
    #expect(policy.functions.map(\.operation) == ["mpo_vnode_check_open"])
    #expect(policy.functions[0].module?.hasPrefix("policy.so+0x") == true)
    let slot = lab.framework.slot("mpo_vnode_check_open")
    #expect(lab.framework.check(slot, 0, 0, 0, 1) == 0)
    #expect(lab.framework.check(slot, 0, 0, 0, 2) == 13)
    #expect(try library.start(in: lab.framework) == 17)
    #expect(try library.stop(in: lab.framework) == 0)
    #expect(lab.framework.check(slot, 0, 0, 0, 2) == 0)
  }

  @Test func `a policy in C is kept out, and watched`() throws {
    let (_, library) = try library()
    let lab = try MACLab()
    let tokens = lab.plugin([KEMON_KIND_MAC_POLICY_REGISTER_PRE]) { _, verdict in
      _ = kemon_deny(verdict, 0, "no policies in C")
    }
    #expect(try library.start(in: lab.framework) == 17)
    #expect(try lab.framework.list().isEmpty)
    lab.dispatcher.remove(tokens)
    try lab.framework.watch(["read_only"])
    #expect(try library.start(in: lab.framework) == 0)
    _ = lab.records()
    #expect(lab.framework.check(lab.framework.slot("vnode_check_open"), 0, 0, 0, 2) == 13)
    #expect(lab.records().map(\.value) == [0, 13])
    #expect(try library.stop(in: lab.framework) == 0)
  }

  @Test(arguments: MACTable.all.map(\.name))
  func `the header of every table has its slots where the kernel has them`(name: String) throws {
    let release = try #require(MACRelease.named(name))
    let scratch = try ScratchFolder()
    try scratch.write(MACHeader(release).text, to: "mac_policy.h")
    let offsets = release.table.slots.enumerated().map { index, operation in
      "_Static_assert(offsetof(struct mac_policy_ops, \(operation.name)) == \(8 * index), \"\");"
    }
    let source = try scratch.write(
      """
      #include "mac_policy.h"
      _Static_assert(sizeof(struct mac_policy_conf) == 80, "");
      _Static_assert(sizeof(struct mac_policy_ops) == \(8 * release.table.slots.count), "");

      """ + offsets.joined(separator: "\n"), to: "check.c")
    try compile(scratch, source, to: "check.so")
  }

  @Test func `what is no policy is told`() throws {
    let scratch = try ScratchFolder()
    let source = try scratch.write("int nothing;", to: "empty.c")
    try compile(scratch, source, to: "empty.so")
    let error = try #require(throws: MACError.self) {
      try MACPolicyLibrary(path: scratch.file("empty.so"))
    }
    #expect(error.code == .noPolicy && error.message.contains("no function kext_start"))
    #expect(throws: MACError.self) { try MACPolicyLibrary(path: scratch.file("missing.so")) }
  }
}
