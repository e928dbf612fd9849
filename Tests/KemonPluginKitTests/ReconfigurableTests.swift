// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Testing

@testable import KemonPluginKit

@Suite struct ReconfigurableTests {
  private final class Secrets: Reconfigurable {
    private struct Settings {
      let paths: [String]

      init(_ config: Config) throws {
        try config.allowMembers(["paths"], of: "")
        paths = try config.strings("paths") ?? []
      }
    }
    private let settings: Live<Settings>

    init(host: Host) throws { settings = Live(try Settings(host.config)) }

    func reconfigure(_ config: Config) throws { settings.replace(with: try Settings(config)) }

    var handlers: [Handler] {
      On("file.open", .pre, fields: "path") { [settings] (path: String) in
        settings.value.paths.contains(path) ? .deny("secret") : .abstain
      }
    }
  }

  private final class Fixed: KemonPlugin {
    init(host: Host) throws {}
    var handlers: [Handler] { [] }
  }

  private func answer(_ path: String, _ host: FakeHost) -> VerdictAction? {
    path.withCString { text in
      host.vote(
        "file.open.pre", words: [UInt64(UInt(bitPattern: text)), UInt64(path.utf8.count)])?.action
    }
  }

  @Test func `only a plugin that says so has the function`() {
    #expect(pluginTable(for: Secrets.self).reconfigure != nil)
    #expect(pluginTable(for: Secrets.self).save == nil)
    #expect(pluginTable(for: Fixed.self).reconfigure == nil)
  }

  private func reconfigure(_ instance: PluginInstance) -> (kemon_status, String) {
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let status = reconfigureInstance(
      Unmanaged.passUnretained(instance).toOpaque(), error: &error)
    return (status, HostRefusal(status, "", error).reason)
  }

  @Test func `it takes another configuration, or keeps the one before`() throws {
    // One table, whose configuration is another one later: what a host does during the call.
    let (first, second) = (
      FakeHost(config: ["paths": ["/a"]]), FakeHost(config: ["paths": ["/b"]])
    )
    let bad = FakeHost(config: ["paths": ["/c", 5]])
    let instance = try run(Secrets.self, in: first)
    let table = first.table.pointee.priv
    #expect(answer("/a", first) == .deny && answer("/b", first) == .abstain)
    first.table.pointee.priv = bad.table.pointee.priv
    let (status, why) = reconfigure(instance)
    #expect(status == KEMON_E_FAILED && why == "paths[1]: must be a string")
    #expect(answer("/a", first) == .deny && answer("/c", first) == .abstain)
    first.table.pointee.priv = second.table.pointee.priv
    #expect(reconfigure(instance).0 == KEMON_OK)
    #expect(answer("/a", first) == .abstain && answer("/b", first) == .deny)
    first.table.pointee.priv = table
    withExtendedLifetime((bad, second)) {}
  }

  @Test func `who does not conform is not asked`() throws {
    let host = FakeHost()
    let instance = try run(Fixed.self, in: host)
    #expect(reconfigure(instance).0 == KEMON_E_FAILED)
    withExtendedLifetime(host) {}
    #expect(reconfigureInstance(nil, error: nil) == KEMON_E_INVALID)
  }
}
