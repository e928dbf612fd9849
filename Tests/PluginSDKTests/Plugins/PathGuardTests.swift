// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Testing

@Suite struct PathGuardTests {
  private static let opens = [
    KEMON_KIND_FILE_OPEN_PRE, KEMON_KIND_FILE_CREATE_PRE, KEMON_KIND_FILE_WRITE_PRE,
    KEMON_KIND_DEVICE_OPEN_PRE,
  ]

  private func isDenied(_ record: OwnedRecord, _ rule: ConfigValue) throws -> Bool {
    let host = FakeHost(config: ["deny": [rule]])
    let plugin = try PluginLibrary(product: "path-guard").run(in: host)
    defer { plugin.stop() }
    let answers = host.vote(record)
    for answer in answers {
      #expect(answer.status == KEMON_OK)
      #expect(answer.action == .deny || answer.action == .abstain)
    }
    return answers.contains { $0.action == .deny }
  }

  private func isDenied(_ path: String, below directory: String, isCut: Bool = false) throws
    -> Bool
  {
    let record = Samples.file(KEMON_KIND_FILE_OPEN_PRE, path)
    if isCut { record.header.pointee.flags = UInt16(KEMON_EV_TRUNCATED) }
    return try isDenied(record, ["path": .string(directory)])
  }

  @Test func `all ways to open are denied with EACCES and a reason`() throws {
    let host = FakeHost(config: ["deny": [["path": "/etc/secret"]]])
    let plugin = try PluginLibrary(product: "path-guard").run(in: host)
    #expect(host.handlers.count == 5)
    #expect(host.handlers.allSatisfy { $0.onFault == KEMON_FAIL_DENY && $0.phase == .pre })
    for kind in Self.opens {
      let answer = try #require(host.vote(Samples.file(kind, "/etc/secret/key")).first)
      #expect(answer.action == .deny)
      #expect(answer.error == 13)
      #expect(answer.reason == "path is below /etc/secret")
    }
    #expect(
      host.vote(Samples.exec(KEMON_KIND_PROCESS_EXEC_PRE, "/etc/secret/x"))[0].action == .deny)
    #expect(host.vote(Samples.file(KEMON_KIND_FILE_OPEN, "/etc/secret/key")).isEmpty)
    plugin.stop()
  }

  @Test func `whole components count`() throws {
    for (path, directory, expected) in [
      ("/etc", "/etc", true), ("/etc/x", "/etc", true), ("/etcetera", "/etc", false),
      ("/et", "/etc", false), ("/etc/x", "/etc/", true), ("/etc/", "/etc", true),
      ("/", "/etc", false), ("/anything", "/", true), ("/", "/", true), ("", "/", false),
    ] {
      #expect(try isDenied(path, below: directory) == expected, "\(path) below \(directory)")
    }
  }

  @Test func `detours do not help`() throws {
    for (path, expected) in [
      ("//etc//secret", true), ("/etc/./secret/.", true), ("/tmp/../etc/secret", true),
      ("/etc/secret/../public", false), ("/../../etc/secret", true), ("/etc/x/../secret/y", true),
      ("/etc/secret/..", false), ("/etc/...", false), ("/etc/secret/..a", true),
      ("/a/b/c/../../../etc/secret", true), ("/etc/.secret", false),
    ] {
      #expect(try isDenied(path, below: "/etc/secret") == expected, "\(path)")
    }
  }

  @Test func `a rule may be written with detours too`() throws {
    #expect(try isDenied("/etc/secret/x", below: "/etc//../etc/./secret/"))
  }

  @Test func `a relative path is nobody's`() throws {
    #expect(try !isDenied("etc/secret", below: "/"))
  }

  @Test func `long paths with detours are understood`() throws {
    let detour = String(repeating: "/a/..", count: 4000)
    #expect(try isDenied(detour + "/etc/secret/x", below: "/etc/secret"))
    #expect(try !isDenied(detour + "/etc/public", below: "/etc/secret"))
  }

  @Test func `a cut path is denied when it is inside or could lead there`() throws {
    for (path, expected) in [
      ("/etc/secret/lo", true), ("/etc/sec", true), ("/et", true), ("/", true),
      ("/etc/public", false), ("/etd", false), ("/etc/secretly", false),
      ("/tmp/../tmp", true), ("/tmp//x", true),
    ] {
      #expect(
        try isDenied(path, below: "/etc/secret", isCut: true) == expected, "\(path)")
    }
  }

  @Test func `operations and users narrow a rule`() throws {
    let open = Samples.file(KEMON_KIND_FILE_OPEN_PRE, "/s/x")
    let exec = Samples.exec(KEMON_KIND_PROCESS_EXEC_PRE, "/s/x")
    #expect(try isDenied(open, ["path": "/s", "operations": ["open"]]))
    #expect(try !isDenied(exec, ["path": "/s", "operations": ["open"]]))
    #expect(try !isDenied(open, ["path": "/s", "operations": ["exec"]]))
    #expect(try isDenied(exec, ["path": "/s", "operations": ["exec", "open"]]))
    #expect(try !isDenied(open, ["path": "/s", "except": [0, 501]]))
    #expect(try isDenied(open, ["path": "/s", "except": [0]]))
    let unknown = Samples.file(
      KEMON_KIND_FILE_OPEN_PRE, "/s/x", by: Actor(pid: 5, "x", uid: .max))
    #expect(try isDenied(unknown, ["path": "/s", "except": [0]]))
  }

  @Test func `only what the rules need is registered`() throws {
    let host = FakeHost(config: ["deny": [["path": "/s", "operations": ["exec"]]]])
    let plugin = try PluginLibrary(product: "path-guard").run(in: host)
    #expect(host.handlers.map(\.kind) == ["process.exec"])
    plugin.stop()
  }

  @Test func `a payload that is too short is a fault`() throws {
    let host = FakeHost(config: ["deny": [["path": "/s"]]])
    let plugin = try PluginLibrary(product: "path-guard").run(in: host)
    let record = Samples.file(KEMON_KIND_FILE_OPEN_PRE, "/s/x")
    record.header.pointee.payload_size = 24
    #expect(host.vote(record).first?.status == KEMON_E_FAILED)
    plugin.stop()
  }

  @Test func `a bad configuration is named by its path`() throws {
    for (config, message) in [
      (["deny": 1], "deny: must be an array"),
      (["deny": ["x"]], "deny[0]: must be an object"),
      (["deny": [[:]]], "deny[0].path: must be an absolute path"),
      (["deny": [["path": "etc"]]], "deny[0].path: must be an absolute path"),
      (["deny": [["path": 1]]], "deny[0].path: must be a string"),
      (
        ["deny": [["path": "/a"], ["path": "/b", "operations": ["read"]]]],
        #"deny[1].operations[0]: must be "open" or "exec""#
      ),
      (["deny": [["path": "/a", "operations": []]]], "deny[0].operations: must not be empty"),
      (["deny": [["path": "/a", "except": ["root"]]]], "deny[0].except[0]: must be an integer"),
      (["deny": [["path": "/a", "except": [-1]]]], "deny[0].except[0]: must be a user id"),
      (
        ["deny": [["path": "/a", "user": 1]]],
        "deny[0]: may only have the members path, operations, except"
      ),
      (["dney": []], "configuration: may only have the members deny"),
    ] as [(ConfigValue, String)] {
      let error = try #require(throws: PluginLibrary.Failure.self) {
        try PluginLibrary(product: "path-guard").run(in: FakeHost(config: config))
      }
      #expect(error.description == message)
    }
  }
}
