// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Reads structs of the other side of the border, which may be older or newer than ours.
enum ForeignStruct {
  /// What becomes of fields that this host does not know.
  enum Tail {
    /// They may say anything: the other side knows which version is spoken and does not count on them.
    case ignored
    /// They must be zero, so that what they ask for is never silently left out.
    case mustBeZero
  }

  /// Nobody's struct is larger.
  static let sizeLimit = 4096

  /// Copies a struct that begins with its own size into a zeroed one of ours.
  ///
  /// - Parameter first: bytes that the first version of the struct had.
  static func read<Value: BitwiseCopyable>(
    _ pointer: UnsafePointer<Value>, first: Int, tail: Tail, named name: String
  ) throws(PluginRefusal) -> Value {
    let source = UnsafeRawPointer(pointer)
    let size = Int(source.loadUnaligned(as: UInt32.self))
    guard size >= first, size <= sizeLimit else {
      throw PluginRefusal(
        KEMON_E_INVALID,
        "\(name).size is \(size), needed is at least \(first), sizeof of the struct")
    }
    let known = MemoryLayout<Value>.size
    if tail == .mustBeZero, size > known {
      let rest = UnsafeRawBufferPointer(start: source + known, count: size - known)
      guard rest.allSatisfy({ $0 == 0 }) else {
        throw PluginRefusal(
          KEMON_E_UNSUPPORTED,
          "\(name) has \(size) bytes, this host knows \(known); what follows must be zero")
      }
    }
    return withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer in
      let target = UnsafeMutableRawBufferPointer(buffer)
      target.initializeMemory(as: UInt8.self, repeating: 0)
      target.copyMemory(from: UnsafeRawBufferPointer(start: source, count: min(size, known)))
      return target.loadUnaligned(as: Value.self)
    }
  }

  /// Reads a C string of at most `limit` bytes.
  static func text(
    _ pointer: UnsafePointer<CChar>, limit: Int, named name: String
  ) throws(PluginRefusal) -> String {
    var length = 0
    while length <= limit, pointer[length] != 0 { length += 1 }
    guard length <= limit else {
      throw PluginRefusal(KEMON_E_INVALID, "\(name) is longer than \(limit) bytes")
    }
    let bytes = UnsafeRawBufferPointer(start: pointer, count: length)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PluginRefusal(KEMON_E_INVALID, "\(name) is not UTF-8")
    }
    return text
  }
}
