// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Sessions about files and authorization, played by the program.
@Suite struct FileSessionTests {
  private func play(
    _ session: String, dialect: String = "2018", deny paths: [String] = []
  ) throws -> Command.Result {
    let host = try Host(plugins: ["event-log", "path-guard"])
    let rules = paths.map { "{\"path\": \"\($0)\"}" }.joined(separator: ", ")
    let config = try host.scratch.write(
      "{\"plugins\": {\"path-guard\": {\"deny\": [\(rules)]}}}", to: "config.json")
    return try host.run(
      "run", "--session", session, "--plugins", host.plugins, "--dialect", dialect, "--config",
      config, "--verbose")
  }

  private func expect(_ text: String, isGolden name: String) throws {
    let file = Checkout.fixture("Golden/\(name)")
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(text == (try Checkout.golden(name)))
  }

  @Test(arguments: ["2018", "2019"])
  func `every operation on files has the original's line`(dialect: String) throws {
    let result = try play("file-ops", dialect: dialect)
    #expect(result.status == 0, "\(result.errors)")
    try expect(result.output, isGolden: "dialect-\(dialect)-file-ops.txt")
    // A line of the second talk, but for the path.
    let close =
      "[Kemon.kext] : action=KAUTH_FILEOP_CLOSE, uid=501, process(pid 303)=nsurlstoraged, "
      + "parent(ppid 1)=launchd, path=/Users/kim/Library/Caches/0CBBB974.tmp, modified=true.\n"
    #expect(result.output.hasSuffix(close))
  }

  @Test(arguments: ["2018", "2019"])
  func `the original's listener has the original's lines and no others`(dialect: String) throws {
    let result = try play("kauth-listener", dialect: dialect)
    #expect(!result.output.contains("_PRE"))
    try expect(result.output, isGolden: "dialect-\(dialect)-kauth-listener.txt")
  }

  @Test func `limitation 1: a listener hears afterwards, the hook asks before`() throws {
    let output = try play("kauth-limitation-1").output
    let before = try #require(output.range(of: "action=FILE_RENAME_PRE"))
    let heard = try #require(output.range(of: "listener hears KAUTH_FILEOP_RENAME"))
    #expect(before.lowerBound < heard.lowerBound)
    #expect(!output.contains("WILL_RENAME"))
  }

  @Test func `limitation 2: a listener hears of opens only, the hook tells them apart`() throws {
    let lines = try play("kauth-limitation-2").output.split(separator: "\n")
    let heard = lines.filter { $0.hasPrefix("listener hears") }
    #expect(heard.filter { $0.contains("KAUTH_FILEOP_OPEN") }.count == 4)
    #expect(heard.count == 6, "and of two closes")
    for kind in ["FILE_OPEN_PRE", "FILE_CREATE_PRE", "FILE_WRITE_PRE", "DEVICE_OPEN_PRE"] {
      #expect(lines.filter { $0.contains("action=\(kind)") }.count == 1)
    }
  }

  @Test func `limitation 3: a listener blocks nothing, a plugin does`() throws {
    let open = try play("kauth-limitation-3")
    #expect(open.output.contains("blocker hears KAUTH_FILEOP_OPEN /etc/hosts"))
    #expect(open.errors.contains("15 bytes"), "\(open.errors)")
    #expect(!open.errors.contains("EACCES"))
    let denied = try play("kauth-limitation-3", deny: ["/Users/kim/notes.txt"])
    #expect(!denied.output.contains("blocker hears KAUTH_FILEOP_OPEN /Users"))
    #expect(denied.errors.contains("EACCES"))
    #expect(denied.errors.contains("8 bytes"), "nothing was written")
  }

  @Test func `limitation 5: a search is heard once and seen by the hook each time`() throws {
    let lines = try play("kauth-limitation-5").output.split(separator: "\n")
    #expect(lines.filter { $0.contains("hears KAUTH_VNODE_SEARCH") }.count == 3)
    #expect(lines.filter { $0.contains("action=FILE_LOOKUP_PRE") }.count == 6)
  }
}
