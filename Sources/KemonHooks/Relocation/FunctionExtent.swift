// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform

/// Where a function's code lies.
public struct FunctionExtent: Sendable, Hashable {
  /// Its first byte.
  public private(set) var start: UInt
  /// How many bytes it has.
  public private(set) var size: Int

  /// Takes what the caller knows, from a symbol table for instance.
  public init(start: UnsafeRawPointer, size: Int) {
    self.start = UInt(bitPattern: start)
    self.size = size
  }

  /// Finds the function that holds an address by its unwind information.
  ///
  /// - Returns: nil when there is none, as for assembly without CFI.
  public init?(containing address: UnsafeRawPointer) {
    var start: UInt = 0
    var size = 0
    guard ckemon_function_extent(address, &start, &size) != 0 else { return nil }
    self.start = start
    self.size = size
  }

  init(range: Range<UInt>) {
    start = range.lowerBound
    size = range.count
  }

  /// Whether an address belongs to an object that the dynamic linker knows.
  static func isLoaded(_ address: UInt) -> Bool {
    UnsafeRawPointer(bitPattern: address).flatMap { ckemon_object_name($0) } != nil
  }

  /// Whether unwind information says that an address belongs to a function.
  static func isCovered(_ address: UInt) -> Bool {
    UnsafeRawPointer(bitPattern: address).flatMap(FunctionExtent.init(containing:)) != nil
  }

  /// Whether an exported symbol begins exactly at an address, and its size.
  static func hasSymbol(_ address: UnsafeRawPointer, _ size: inout Int) -> Bool {
    ckemon_symbol_at(address, &size) != 0
  }

  /// Whether an exported symbol begins in a range.
  static func hasSymbol(in range: Range<UInt>) -> Bool {
    let found = ckemon_symbols_between(
      UnsafeRawPointer(bitPattern: range.lowerBound),
      UnsafeRawPointer(bitPattern: range.upperBound), nil, 0)
    guard found < 0 else { return found != 0 }
    // A library with another kind of table.
    return range.contains { address in
      var size = 0
      return UnsafeRawPointer(bitPattern: address).map { hasSymbol($0, &size) } ?? false
    }
  }

  /// All names that its object exports for its first byte, in alphabetical order.
  ///
  /// A function that has several is hooked for all of them. Empty when it has none, or its object is not loaded.
  public var names: [String] {
    let from = UnsafeRawPointer(bitPattern: start)
    let to = UnsafeRawPointer(bitPattern: start &+ 1)
    let count = Int(max(0, ckemon_symbols_between(from, to, nil, 0)))
    guard count > 0 else { return [] }
    let names = [UnsafePointer<CChar>?](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: nil)
      initialized = count
      _ = ckemon_symbols_between(from, to, buffer.baseAddress, count)
    }
    return names.compactMap { $0.map { String(cString: $0) } }.sorted()
  }

  /// Its addresses.
  public var range: Range<UInt> { start..<(start &+ UInt(size)) }
}

/// A copy of a function's code without the hooks that stand in it.
struct FunctionCode {
  /// What is searched for jumps: may begin before the function, when that is one of several in one piece.
  let extent: FunctionExtent
  let bytes: [UInt8]
  /// The first byte of the function.
  let start: UInt

  init(extent: FunctionExtent, bytes: [UInt8], start: UInt? = nil) {
    self.extent = extent
    self.bytes = bytes
    self.start = start ?? extent.start
  }

  /// The first byte behind it.
  var end: UInt { extent.range.upperBound }

  /// Whether it begins with `endbr64`, which indirect calls look for.
  var hasLandingPad: Bool {
    bytes.dropFirst(Int(start &- extent.start)).starts(with: [0xF3, 0x0F, 0x1E, 0xFA])
  }

  /// Hands over the code from an address to the end of the function.
  func decode<Result>(
    from address: UInt, _ body: (UnsafeRawBufferPointer) throws(HookError) -> Result
  ) throws(HookError) -> Result {
    let offset = Int(bitPattern: address &- extent.start)
    guard offset >= 0, offset < bytes.count else {
      throw HookError(
        .tooShort, at: address,
        "not inside the function: \(bytes.count) bytes at 0x\(String(start, radix: 16))")
    }
    return try bytes.withUnsafeBufferPointer { code throws(HookError) in
      try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(code)[offset...]))
    }
  }
}
