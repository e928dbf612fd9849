// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// Attacks on plugins' files between the operator's look and the load, each refused with the file and a rule.
@Suite struct TrustTests {
  /// A folder with the plugin `voter`.
  private func folder() throws -> ScratchFolder {
    let folder = try ScratchFolder()
    try folder.copy(Fixtures.build("voter"), to: "voter.so")
    return folder
  }

  private func rules(_ folder: ScratchFolder, _ trust: TrustPolicy = TrustPolicy()) -> [String] {
    PluginScanner.scan([folder.path], trust: trust).problems.map(\.rule.id)
  }

  /// Changes one byte of a file without changing what it says of itself.
  private func tamper(_ file: String) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
    bytes.append(0)
    try Data(bytes).write(to: URL(filePath: file))
    chmod(file, 0o755)
  }

  // MARK: Locks

  @Test func `a locked plugin is loaded, another file of its name is not`() throws {
    let folder = try folder()
    let renewal = try PluginsLock.renew(folder.path)
    #expect(renewal.problems.isEmpty)
    #expect(renewal.plugins.map(\.change) == [.added])
    #expect(renewal.plugins.first?.granted == ["observe", "vote"])
    #expect(rules(folder).isEmpty)
    #expect(rules(folder, TrustPolicy(.lock)).isEmpty)

    try tamper(folder.file("voter.so"))
    let problem = try #require(PluginScanner.scan([folder.path]).problems.first)
    #expect(problem.rule.id == "lock.hash")
    #expect(problem.file == folder.file("voter.so"))
    #expect(problem.plugin == "voter")
    #expect(problem.needed.hasSuffix("as in \(folder.file("plugins.lock"))"))
    #expect(rules(folder, TrustPolicy(.owner)).isEmpty, "the lock is not asked")

    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.changed])
    #expect(rules(folder).isEmpty)
    #expect(try PluginsLock.renew(folder.path).plugins.map(\.change) == [.unchanged])
  }

  @Test func `without a lock there is nothing to trust when one is asked for`() throws {
    let folder = try folder()
    #expect(rules(folder).isEmpty)
    let scan = PluginScanner.scan([folder.path], trust: TrustPolicy(.lock))
    #expect(scan.candidates.isEmpty)
    #expect(scan.problems.map(\.rule.id) == ["lock.missing"])
    #expect(scan.problems.first?.file == folder.file("plugins.lock"))
  }

  @Test func `a plugin that was not there when the folder was locked is refused`() throws {
    let folder = try folder()
    _ = try PluginsLock.renew(folder.path)
    let manifest = #"{"name": "vote", "version": "1.0.0", "abi": 1}"#
    try folder.copy(Fixtures.minimal(manifest), to: "vote.so")
    let problem = try #require(PluginScanner.scan([folder.path]).problems.first)
    #expect(problem.rule.id == "lock.unknown")
    #expect(problem.needed == "perhaps voter")
  }

  @Test func `a locked plugin that is gone is missed`() throws {
    let folder = try folder()
    _ = try PluginsLock.renew(folder.path)
    unlink(folder.file("voter.so"))
    let scan = PluginScanner.scan([folder.path])
    #expect(scan.problems.map(\.rule.id) == ["lock.absent"])
    #expect(scan.problems.first?.plugin == "voter")
  }

  @Test func `a lock that others can change is none`() throws {
    let folder = try folder()
    _ = try PluginsLock.renew(folder.path)
    chmod(folder.file("plugins.lock"), 0o666)
    #expect(rules(folder) == ["file.writable"])
    unlink(folder.file("plugins.lock"))
    symlink("/etc/hostname", folder.file("plugins.lock"))
    #expect(rules(folder) == ["file.link"])
  }

  @Test(arguments: [
    ("[", "line 1, column 2"), ("{}", "version: found nothing"),
    (#"{"version": 2, "plugins": {}}"#, "version: found 2"),
    (#"{"version": 1, "plugins": {"voter": {}}}"#, "needed is sha256 or signer"),
    (
      #"{"version": 1, "plugins": {"voter": {"sha256": "abc"}}}"#,
      "line 1, column 28: plugins.voter: sha256"
    ),
    (
      #"{"version": 1, "plugins": {"voter": {"sha": "abc"}}}"#,
      "plugins.voter.sha: found an unknown member, needed is one of capabilities"
    ),
    (
      #"{"version": 1, "plugins": {"voter": {"signer": "RWQ"}}}"#, "needed are 42 bytes in base64"
    ),
    (
      #"{"version": 1, "plugins": {"voter": {"sha256": "\#(String(repeating: "a", count: 64))", "capabilities": ["vot"]}}}"#,
      "found \"vot\", needed is perhaps vote"
    ),
    (#"{"version": 1, "plugins": {"Voter!": {"sha256": ""}}}"#, "cannot be a plugin's name"),
  ])
  func `a lock that is wrong is refused with its place`(text: String, part: String) throws {
    let folder = try folder()
    try folder.write(text, to: "plugins.lock")
    chmod(folder.file("plugins.lock"), 0o644)
    let scan = PluginScanner.scan([folder.path])
    #expect(scan.candidates.isEmpty)
    #expect(scan.problems.map(\.rule.id) == ["lock.format"])
    #expect(scan.problems.first?.found.contains(part) == true, "\(scan.problems)")
  }

  @Test func `damaged locks never crash and never admit another file`() throws {
    let folder = try folder()
    _ = try PluginsLock.renew(folder.path)
    let good = [UInt8](try Data(contentsOf: URL(filePath: folder.file("plugins.lock"))))
    try tamper(folder.file("voter.so"))
    let hash = try #require(PluginScanner.inspect(folder.file("voter.so")).sha256)
    var random = SeededRandom(seed: 11)
    for _ in 0..<3000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 32...126, using: &random), at: place)
        }
      }
      guard let lock = try? PluginsLock(parsing: bytes) else { continue }
      #expect(lock.plugins["voter"].map { $0.sha256 != hash } ?? true)
    }
  }

  @Test func `a renewal keeps what the operator decided`() throws {
    let folder = try folder()
    _ = try PluginsLock.renew(folder.path)
    let file = folder.file("plugins.lock")
    var value = try JSONValue(parsing: String(contentsOfFile: file, encoding: .utf8))
    try value.set(.string("monitor"), at: "plugins.voter.mode")
    try value.set(.integer(-5), at: "plugins.voter.priority")
    try value.set(.string("guard"), at: "plugins.voter.tier")
    try value.set(.array([.string("vote")]), at: "plugins.voter.capabilities")
    try value.text.write(toFile: file, atomically: false, encoding: .utf8)
    try tamper(folder.file("voter.so"))
    let renewal = try PluginsLock.renew(folder.path)
    #expect(renewal.plugins.first?.withheld == ["observe"])
    let candidate = try #require(PluginScanner.scan([folder.path]).candidates.first)
    #expect(
      candidate.grant
        == PluginGrant(capabilities: ["vote"], mode: .monitor, tier: .guard, priority: -5))
    #expect(try PluginsLock.renew(folder.path, grantsAll: true).plugins.first?.withheld == [])
  }

  @Test func `the lock decides about mode, tier, priority and capabilities`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = try PluginsLock.renew(test.folder.path)
    let lock = test.folder.file("plugins.lock")
    let text = try String(contentsOfFile: lock, encoding: .utf8)
    func change(_ path: String, _ value: JSONValue) throws {
      var json = try JSONValue(parsing: text)
      try json.set(value, at: "plugins.voter.\(path)")
      try json.text.write(toFile: lock, atomically: false, encoding: .utf8)
    }
    try change("mode", .string("monitor"))
    _ = test.load()
    #expect(test.host.start().isEmpty)
    #expect(!test.open("/etc/passwd").isDenied)
    test.host.stop()
    try change("tier", .string("guard"))
    _ = test.load()
    #expect(test.host.start().isEmpty)
    #expect(test.open("/etc/passwd").isDenied)
    #expect(test.lastTiers == [VerdictTier.guard.rawValue])
    test.host.stop()
    try change("capabilities", .array([.string("observe")]))
    let report = test.load()
    #expect(report.problems.map(\.rule.id) == ["create.failed"])
    #expect(
      report.problems.first?.found.contains("capability \"vote\", which is not granted") == true)
  }

  // MARK: The way to the folder

  @Test func `nobody else may change a folder on the way`() throws {
    let outer = try ScratchFolder()
    let inner = outer.file("inner")
    mkdir(inner, 0o755)
    try outer.copy(Fixtures.build("voter"), to: "inner/voter.so")
    let scan = { PluginScanner.scan([inner]).problems }
    #expect(scan().isEmpty)
    chmod(outer.path, 0o777)
    #expect(scan().map(\.rule.id) == ["path.trust"])
    #expect(scan().first?.found == "\(outer.path): owner \(geteuid()), mode 0777")
    #expect(scan().first?.file == inner)
    chmod(outer.path, 0o1777)
    #expect(scan().isEmpty, "where the sticky bit is each may only take away what is theirs")
    #expect(PluginScanner.scan([outer.path]).problems.map(\.rule.id) == ["directory.trust"])
    chmod(outer.path, 0o777)
    #expect(PluginScanner.scan([inner], trust: TrustPolicy(.any)).problems.isEmpty)
    chmod(outer.path, 0o755)
    #expect(scan().isEmpty)
  }

  @Test func `a link on the way is followed when it and its way can be trusted`() throws {
    let outer = try ScratchFolder()
    mkdir(outer.file("real"), 0o755)
    mkdir(outer.file("open"), 0o777)
    chmod(outer.file("open"), 0o777)
    mkdir(outer.file("open/real"), 0o755)
    for name in ["real", "open/real"] {
      try outer.copy(Fixtures.build("voter"), to: "\(name)/voter.so")
    }
    symlink("real", outer.file("good"))
    symlink("\(outer.path)/open/real", outer.file("bad"))
    symlink("loop", outer.file("loop"))
    symlink("../\(outer.url.lastPathComponent)/real/.", outer.file("winding"))
    let rules = { (name: String) in
      PluginScanner.scan([outer.file(name)]).problems.map(\.rule.id)
    }
    #expect(rules("good").isEmpty)
    #expect(rules("winding").isEmpty)
    #expect(rules("good/../good").isEmpty)
    #expect(rules("bad") == ["path.trust"])
    #expect(rules("loop") == ["directory.open"])
    #expect(rules("nothing") == ["directory.open"])
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `a link or a folder of somebody else is not followed`() throws {
    let outer = try ScratchFolder()
    mkdir(outer.file("real"), 0o755)
    try outer.copy(Fixtures.build("voter"), to: "real/voter.so")
    symlink("real", outer.file("link"))
    lchown(outer.file("link"), 4242, 4242)
    let link = PluginScanner.scan([outer.file("link")]).problems
    #expect(link.map(\.rule.id) == ["path.trust"])
    #expect(link.first?.found == "\(outer.file("link")): owner 4242")
    chown(outer.path, 4242, 4242)
    #expect(PluginScanner.scan([outer.file("real")]).problems.map(\.rule.id) == ["path.trust"])
    chown(outer.path, 0, 0)
  }

  // MARK: Between check and use

  @Test func `what was checked is what runs, whatever becomes of the file`() throws {
    let test = try TestHost()
    let file = try test.folder.copy(Fixtures.build("voter"), to: "voter.so")
    _ = try PluginsLock.renew(test.folder.path)
    let scan = PluginScanner.scan([test.folder.path])
    let candidate = try #require(scan.candidates.first)
    // The swap of an attacker who waits for the check.
    let manifest = #"{"name": "voter", "version": "9.9.9", "abi": 1}"#
    unlink(file)
    try test.folder.copy(Fixtures.minimal(manifest), to: "voter.so")
    let plugin = try LoadedPlugin(
      candidate, id: 1, configuration: CheckedConfiguration(.object([:])),
      settings: candidate.grant.settings(for: candidate.manifest, run: .enforce),
      services: test.host.services)
    try plugin.create()
    #expect(plugin.info.handlers.map(\.name) == ["deny-etc"], "the locked file's, not the other's")
    #expect(PluginScanner.scan([test.folder.path]).problems.map(\.rule.id) == ["lock.hash"])
    plugin.stop(dispatcher: test.dispatcher)
  }

  @Test func `a reload asks the lock again`() throws {
    let test = try TestHost()
    try test.put()
    _ = try PluginsLock.renew(test.folder.path)
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    try test.put(["-DVERSION=\"6.6.6\""])
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("generation") }
    #expect(problem?.rule.id == "lock.hash")
    #expect(test.votes() == [1])
    _ = try PluginsLock.renew(test.folder.path)
    #expect(try test.host.reload("generation").plugin.version == "6.6.6")
    test.host.stop()
  }
}
