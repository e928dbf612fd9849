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

/// Why the host refuses what a plugin asks for, in the terms of the C ABI.
struct PluginRefusal: Error {
  let status: kemon_status
  let line: UInt32
  let column: UInt32
  let text: String

  init(_ status: kemon_status, line: Int = 0, column: Int = 0, _ text: String) {
    self.status = status
    self.line = UInt32(clamping: line)
    self.column = UInt32(clamping: column)
    self.text = text
  }

  /// Writes the refusal into the caller's buffer, if there is one, and returns the status.
  func report(to buffer: UnsafeMutablePointer<kemon_error>?) -> kemon_status {
    guard let buffer, Int(buffer.pointee.size) >= MemoryLayout<kemon_error>.size else {
      return status
    }
    buffer.pointee.code = status
    buffer.pointee.line = line
    buffer.pointee.column = column
    withUnsafeMutableBytes(of: &buffer.pointee.text) { $0.fill(with: text) }
    return status
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes a C string, cut between two characters when it is too long.
  func fill(with text: String) {
    var count = 0
    for character in text.unicodeScalars {
      let encoded = UTF8.encode(character)
      guard let encoded, count + encoded.count < self.count else { break }
      for byte in encoded {
        self[count] = byte
        count += 1
      }
    }
    if count < self.count { self[count] = 0 }
  }
}

extension UnsafeRawBufferPointer {
  /// Reads a C string of a fixed array, which may lack its NUL; damaged characters are replaced.
  var cString: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}
