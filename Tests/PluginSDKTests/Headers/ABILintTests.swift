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
    Change(
      testDescription: "a family gets another number", header: "event_table.h",
      old: "FAMILY(KEXT, 4,", new: "FAMILY(KEXT, 14,", says: "KEMON_FAMILY_KEXT 4 is gone"),
    Change(
      testDescription: "a number that is computed means something else", header: "worker.h",
      old: "(8u << 20)", new: "(8u << 19)",
      says: "KEMON_WORKER_FRAME_LIMIT 8388608 is gone"),
    Change(
      testDescription: "a text that both sides know changes", header: "defer.h",
      old: "\"kemon.defer/1\"", new: "\"kemon.later/1\"",
      says: "KEMON_EXT_DEFER \"kemon.defer/1\" is gone"),
    Change(
      testDescription: "a number of hooks means something else", header: "hook.h",
      old: "#define KEMON_HOOK_SKIP 1", new: "#define KEMON_HOOK_SKIP 2",
      says: "KEMON_HOOK_SKIP 1 is gone"),
    Change(
      testDescription: "a slot of a call's frame is removed", header: "hook.h",
      old: "  uint64_t return_address; ", new: "  // uint64_t return_address; ",
      says: "kemon_hook_frame."),
    Change(
      testDescription: "a message of the original's gets another number", header: "original.h",
      old: "KEMON_ORIGINAL_EVENTS_LOST 0x7F", new: "KEMON_ORIGINAL_EVENTS_LOST 0x7E",
      says: "KEMON_ORIGINAL_EVENTS_LOST 127 is gone"),
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
