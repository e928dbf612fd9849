// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText
import Synchronization

/// What a plugin remembers, and what it is told, while it runs.
extension LoadedPlugin {
  /// Bytes that a generation may leave to the next; from a worker they come in one frame.
  var stateLimit: Int { services.isWorker ? WorkerControl.limit : 16 << 20 }

  /// Whether it leaves anything to its next generation.
  var savesState: Bool { code.table.save != nil }

  /// Asks the plugin what its next generation shall know; nil when it has no `save`.
  func save() throws(PluginProblem) -> [UInt8]? {
    guard let save = code.table.save else { return nil }
    let instance = state.withLock { $0.instance }
    var saved = SavedState(limit: stateLimit)
    let status = withUnsafeMutablePointer(to: &saved) { target in
      var sink = kemon_sink()
      sink.size = UInt32(MemoryLayout<kemon_sink>.size)
      sink.priv = UnsafeMutableRawPointer(target)
      sink.write = { sink, bytes, count in
        guard let sink, let priv = sink.pointee.priv, bytes != nil || count == 0 else {
          return KEMON_E_INVALID
        }
        let target = priv.assumingMemoryBound(to: SavedState.self)
        guard count <= UInt64(target.pointee.limit - target.pointee.bytes.count) else {
          return KEMON_E_FULL
        }
        target.pointee.bytes += UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return KEMON_OK
      }
      return asControl("save") { save(instance, &sink) }
    }
    guard status == KEMON_OK else {
      throw problem(.saveFailed, status, Self.errorBuffer(), needed: "KEMON_OK")
    }
    return saved.bytes
  }

  /// Gives the plugin another configuration while it runs: all of it, or none.
  func reconfigure(_ value: JSONValue) throws(PluginProblem) {
    guard let reconfigure = code.table.reconfigure else {
      throw PluginProblem(
        .reconfigureMissing, file: file, plugin: name, found: "no function reconfigure",
        needed: "a plugin that has one, or a reload with the configuration")
    }
    let new: PluginConfiguration
    do throws(ConfigurationFailure) {
      new = PluginConfiguration(try CheckedConfiguration(value, manifest, nil))
    } catch {
      throw error.problem(file: file, plugin: name)
    }
    // kemon.config/1 answers from the new one during the call.
    let (instance, old) = state.withLock { state in
      defer { state.configuration = new }
      return (state.instance, state.configuration)
    }
    var error = Self.errorBuffer()
    let status = asControl("reconfigure") {
      reconfigure(instance, new.text, new.textLength, &error)
    }
    guard status == KEMON_OK else {
      state.withLock { state in
        state.configuration = old
        state.oldConfigurations.append(new)
      }
      throw problem(
        .reconfigureFailed, status, error, needed: "a configuration that the plugin accepts")
    }
    state.withLock { $0.oldConfigurations.append(old) }
  }
}

/// What a plugin has written so far.
private struct SavedState {
  var bytes: [UInt8] = []
  let limit: Int
}
