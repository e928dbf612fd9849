// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// `scripts/abi-lint`, on copies of the headers in which something has happened.
@Suite(.enabled(if: Command.exists("abidw") && Command.exists("cc"), "needs abigail-tools and cc"))
struct ABILintTests {
  struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let header: String
    let old: String
    let new: String
    /// What the lint says.
    let says: String
  }

  /// What happened to the kernel's own tables of MAC operations from release to release, done to ours; and what the
  /// layout alone would not show.
  static let broken = [
    Change(
      testDescription: "a slot is inserted in the middle", header: "plugin.h",
      old: "  void (*stop)(void *self);",
      new: "  void (*pause)(void *self);\n  void (*stop)(void *self);",
      says: "kemon_plugin.stop at byte 24 is displaced"),
    Change(
      testDescription: "a function gets another prototype", header: "plugin.h",
      old: "(*save)(void *self, kemon_sink *to);",
      new: "(*save)(void *self, kemon_sink *to, int how);",
      says: "kemon_plugin.save was "),
    Change(
      testDescription: "a slot is removed", header: "plugin.h", old: "  void (*stop)(void *self);",
      new: "", says: "kemon_plugin.stop at byte 24 is displaced"),
    Change(
      testDescription: "a slot is used for something else", header: "host.h",
      old: "uint32_t cache_fields, reserved;", new: "uint32_t cache_fields, cache_limit;",
      says: "kemon_handler.reserved at byte 60 is renamed"),
    Change(
      testDescription: "a number means something else", header: "verdict.h",
      old: "#define KEMON_DENY 4", new: "#define KEMON_DENY 5", says: "KEMON_DENY 4 is gone"),
    Change(
      testDescription: "a kind gets another number", header: "event_table.h",
      old: "KIND(KERNEL_LOG, 0x81,", new: "KIND(KERNEL_LOG, 0x8f,", says: "KIND KERNEL_LOG 0x81"),
  ]

  private func lint(_ headers: URL, _ abi: String, _ more: String...) throws -> Command.Result {
    try Command(path: Checkout.root.appending(path: "scripts/abi-lint").path)
      .run(["--headers", headers.path, "--abi", abi] + more)
  }

  /// Lints changed headers against what the unchanged ones are now.
  private func lint(_ change: Change) throws -> Command.Result {
    let folder = try ScratchFolder()
    let abi = folder.file("abi")
    let original = Checkout.sdk.appending(path: "include")
    try #require(try lint(original, abi, "--update").status == 0)
    let include = folder.url.appending(path: "include")
    try FileManager.default.copyItem(at: original, to: include)
    let header = include.appending(path: "kemon/\(change.header)")
    let text = try String(contentsOf: header, encoding: .utf8)
    let range = try #require(text.range(of: change.old), "\(change.old) is not there")
    try text.replacingCharacters(in: range, with: change.new)
      .write(to: header, atomically: true, encoding: .utf8)
    return try lint(include, abi)
  }

  @Test(arguments: broken) func `a change that breaks plugins is refused`(change: Change) throws {
    let result = try lint(change)
    #expect(result.status == 1)
    #expect(result.errors.contains(change.says), "\(result.text)")
  }

  @Test func `a field at the end is growth, to be taken over`() throws {
    let result = try lint(
      Change(
        testDescription: "", header: "plugin.h",
        old: "  const void *(*ext)(void *self, const char *id);",
        new: "  const void *(*ext)(void *self, const char *id);\n  void (*more)(void *self);",
        says: ""))
    #expect(result.status == 2)
    #expect(result.output.contains("kemon_plugin.more is appended"), "\(result.text)")
  }
}
