// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// A created and started plugin; ends with ``stop()`` or with this object.
public final class RunningPlugin {
  private let plugin: kemon_plugin
  private let host: FakeHost
  private var instance: UnsafeMutableRawPointer?

  /// Creates and starts a plugin by its table.
  ///
  /// - Parameters:
  ///   - table: as the plugin's entry gives it.
  ///   - host: the host that it gets.
  ///   - state: what ``save()`` of the generation before gave.
  ///   - stateVersion: `state` in the manifest of that generation; 0 when it says nothing.
  public init(
    _ table: UnsafePointer<kemon_plugin>, _ host: FakeHost, state: [UInt8]? = nil,
    stateVersion: UInt32 = 0
  ) throws {
    plugin = table.pointee
    self.host = host
    var create = kemon_create()
    create.size = UInt32(MemoryLayout<kemon_create>.size)
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let config = host.config.json
    create.config_json = UnsafePointer(host.text(config))
    create.config_len = UInt32(config.utf8.count)
    let begin = plugin.create
    instance = (state ?? []).withUnsafeBytes { bytes in
      // A state without bytes is there, and lies somewhere.
      create.state = state == nil ? nil : bytes.baseAddress ?? UnsafeRawPointer(host.table)
      create.state_len = UInt64(bytes.count)
      create.state_version = stateVersion
      return begin?(host.table, &create, &error)
    }
    guard instance != nil else { throw Self.failure(error) }
    if let start = plugin.start, start(instance, &error) != KEMON_OK {
      end(isRunning: false)
      throw Self.failure(error)
    }
  }

  deinit { end(isRunning: true) }

  /// Stops and destroys the plugin.
  public func stop() { end(isRunning: true) }

  /// Gives the plugin another configuration, which the host answers from if the plugin takes it.
  ///
  /// - Returns: false when the plugin has no `reconfigure`: a host refuses it.
  /// - Throws: the plugin's reason for not taking it.
  @discardableResult
  public func reconfigure(_ config: ConfigValue) throws -> Bool {
    guard let reconfigure = plugin.reconfigure else { return false }
    let old = host.config
    host.config = config
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let text = config.json
    guard
      reconfigure(instance, host.text(text), UInt32(text.utf8.count), &error) == KEMON_OK
    else {
      host.config = old
      throw Self.failure(error)
    }
    return true
  }

  /// What the plugin leaves to its next generation; nil when it has no `save`.
  public func save() throws -> [UInt8]? {
    guard let save = plugin.save else { return nil }
    var bytes: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &bytes) { target in
      var sink = kemon_sink()
      sink.size = UInt32(MemoryLayout<kemon_sink>.size)
      sink.priv = UnsafeMutableRawPointer(target)
      sink.write = { sink, bytes, count in
        guard let target = sink?.pointee.priv else { return KEMON_E_INVALID }
        target.assumingMemoryBound(to: [UInt8].self).pointee +=
          UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return KEMON_OK
      }
      return save(instance, &sink)
    }
    guard status == KEMON_OK else { throw PluginLibrary.Failure("save: status \(status)") }
    return bytes
  }

  private func end(isRunning: Bool) {
    guard let instance else { return }
    self.instance = nil
    if isRunning { plugin.stop?(instance) }
    plugin.destroy?(instance)
  }

  private static func failure(_ error: kemon_error) -> PluginLibrary.Failure {
    var failure = PluginLibrary.Failure(
      withUnsafeBytes(of: error.text) { textUpToNUL($0) })
    failure.line = error.line
    failure.column = error.column
    return failure
  }
}
