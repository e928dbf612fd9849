// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Synchronization

/// What a plugin remembers.
extension LoadedPlugin {
  /// Bytes that a generation may leave to the next.
  static let stateLimit = 16 << 20

  /// Asks the plugin what its next generation shall know; nil when it has no `save`.
  func save() throws(PluginProblem) -> [UInt8]? {
    guard let save = code.table.save else { return nil }
    let instance = state.withLock { $0.instance }
    var bytes: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &bytes) { target in
      var sink = kemon_sink()
      sink.size = UInt32(MemoryLayout<kemon_sink>.size)
      sink.priv = UnsafeMutableRawPointer(target)
      sink.write = { sink, bytes, count in
        guard let sink, let priv = sink.pointee.priv, bytes != nil || count == 0 else {
          return KEMON_E_INVALID
        }
        let target = priv.assumingMemoryBound(to: [UInt8].self)
        guard count <= UInt64(LoadedPlugin.stateLimit - target.pointee.count) else {
          return KEMON_E_FULL
        }
        target.pointee += UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return KEMON_OK
      }
      return asControl("save") { save(instance, &sink) }
    }
    guard status == KEMON_OK else {
      throw problem(.saveFailed, status, Self.errorBuffer(), needed: "KEMON_OK")
    }
    return bytes
  }
}
