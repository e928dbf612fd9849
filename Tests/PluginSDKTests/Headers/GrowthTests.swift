// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// What may not happen to the ABI, done to a copy of the headers: the pinned layout must refuse to compile.
///
/// The changes are those that broke plugins of the original's kernel: a slot inserted, moved, dropped, or used anew.
@Suite struct GrowthTests {
  struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let header: String
    let old: String
    let new: String
  }

  private static let changes = [
    Change(
      testDescription: "a field is inserted", header: "plugin.h",
      old: "  void (*stop)(void *self);",
      new: "  void (*pause)(void *self);\n  void (*stop)(void *self);"),
    Change(
      testDescription: "a field is dropped", header: "plugin.h",
      old: "  void (*stop)(void *self);", new: ""),
    Change(
      testDescription: "two fields change places", header: "verdict.h",
      old: "uint16_t action, flags;", new: "uint16_t flags, action;"),
    Change(
      testDescription: "a field gets wider", header: "verdict.h", old: "int32_t err; ",
      new: "int64_t err; "),
    Change(
      testDescription: "a field is renamed", header: "host.h", old: "uint32_t plugin_id;",
      new: "uint32_t plugin_number;"),
    Change(
      testDescription: "a payload's field is inserted", header: "payloads.h",
      old: "  F(str, path, \"the library\")",
      new: "  F(u64, size, \"bytes\") F(str, path, \"the library\")"),
    Change(
      testDescription: "a payload has silent padding", header: "payloads.h",
      old: "  F(u32, reserved, \"0\")", new: ""),
    Change(
      testDescription: "a field is appended and not pinned", header: "event.h",
      old: "  uint16_t verdict; /*", new: "  uint64_t more;\n  uint16_t verdict; /*"),
  ]

  private func compile(_ change: Change?) throws -> Command.Result {
    let folder = try ScratchFolder()
    let include = folder.url.appending(path: "include")
    try FileManager.default.copyItem(at: Checkout.sdk.appending(path: "include"), to: include)
    if let change {
      let header = include.appending(path: "kemon/\(change.header)")
      let text = try String(contentsOf: header, encoding: .utf8)
      let range = try #require(text.range(of: change.old), "\(change.old) is not there")
      try text.replacingCharacters(in: range, with: change.new)
        .write(to: header, atomically: true, encoding: .utf8)
    }
    let compiler = try #require(Compiler.present.first { !$0.isCXX })
    return try #require(Command(compiler.program)).run([
      "-std=c11", "-I", include.path, "-fsyntax-only",
      Checkout.sdk.appending(path: "src/layout.c").path,
    ])
  }

  @Test func `an unchanged copy compiles`() throws {
    let result = try compile(nil)
    #expect(result.status == 0, "\(result.text)")
  }

  @Test(arguments: changes)
  func `a change that breaks plugins is refused`(change: Change) throws {
    let result = try compile(change)
    #expect(result.status != 0)
    #expect(result.text.contains("error"))
  }
}
