// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Synchronization
import Testing

@testable import KemonPluginKit

@Suite struct StateSavingTests {
  private final class Counting: StateSaving {
    let host: Host
    let first: SavedState?
    let count: Atomic<UInt8>

    init(host: Host) throws {
      self.host = host
      first = host.state
      count = Atomic(first?.bytes.first ?? 0)
    }

    struct Full: Error {}

    func save() throws -> [UInt8] {
      let count = count.load(ordering: .relaxed)
      if count == .max { throw Full() }
      return count == 0 ? [] : [count]
    }

    var handlers: [Handler] {
      Observe("file.open") { [self] _ in count.wrappingAdd(1, ordering: .relaxed) }
    }
  }

  private final class Forgetful: KemonPlugin {
    init(host: Host) throws {}
    var handlers: [Handler] { [] }
  }

  /// An instance in a host of its own.
  private final class Generation {
    let host = FakeHost()
    let instance: PluginInstance
    let plugin: Counting

    /// Makes one that is given a state.
    init(
      _ state: [UInt8]?, version: UInt32 = 0, size: Int = MemoryLayout<kemon_create>.size
    ) throws {
      let host = host
      instance = try (state ?? []).withUnsafeBytes { bytes in
        var create = kemon_create()
        create.size = UInt32(size)
        // An empty state has an address, no state has none.
        create.state = state == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8)
        create.state_len = UInt64(bytes.count)
        create.state_version = version
        return try run(Counting.self, in: host, create: &create)
      }
      plugin = try #require(instance.plugin as? Counting)
    }
  }

  private func save(_ instance: PluginInstance) -> (kemon_status, [UInt8]) {
    var bytes: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &bytes) { target in
      var sink = kemon_sink()
      sink.size = UInt32(MemoryLayout<kemon_sink>.size)
      sink.priv = UnsafeMutableRawPointer(target)
      sink.write = { sink, bytes, count in
        guard let target = sink?.pointee.priv?.assumingMemoryBound(to: [UInt8].self), count < 100
        else { return KEMON_E_FULL }
        target.pointee += UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return KEMON_OK
      }
      return saveInstance(Unmanaged.passUnretained(instance).toOpaque(), to: &sink)
    }
    return (status, bytes)
  }

  @Test func `only a plugin that says so has the function`() {
    #expect(pluginTable(for: Counting.self).save != nil)
    #expect(pluginTable(for: Counting.self).reconfigure == nil)
    #expect(pluginTable(for: Forgetful.self).save == nil)
  }

  @Test func `what one saves the next is given, and only in init`() throws {
    #expect(try Generation([]).plugin.first?.bytes == [])
    let first = try Generation(nil)
    #expect(first.plugin.first == nil)
    for _ in 0..<2 { first.host.observe(opening()) }
    let saved = save(first.instance)
    #expect(saved == (KEMON_OK, [2]))
    let second = try Generation(saved.1, version: 3)
    #expect(second.plugin.first == SavedState(bytes: [2], version: 3))
    #expect(second.plugin.host.state == nil, "the memory is the host's again")
    #expect(save(second.instance) == (KEMON_OK, [2]))
    #expect(try Generation([7]).plugin.first == SavedState(bytes: [7], version: nil))
    #expect(try Generation([7], size: 16).plugin.first == nil, "an old host has no state")
    withExtendedLifetime((first, second)) {}
  }

  @Test func `what it throws is logged, and nothing is written`() throws {
    let full = try Generation([.max])
    #expect(save(full.instance) == (KEMON_E_FAILED, []))
    #expect(full.host.log == ["1 save: Full()"])
    let fresh = try Generation([0])
    #expect(save(fresh.instance) == (KEMON_OK, []))
    #expect(saveInstance(nil, to: nil) == KEMON_E_INVALID)
    withExtendedLifetime((full, fresh)) {}
  }
}
