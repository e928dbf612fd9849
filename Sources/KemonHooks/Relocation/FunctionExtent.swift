// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform

/// Where a function's code lies.
public struct FunctionExtent: Sendable, Equatable {
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

  /// The functions around it that are so near that they may be of one piece with it.
  ///
  /// Functions written in assembly jump into each other: `mempcpy` of the C library into `memmove`, over a third one.
  var neighbours: [FunctionExtent] {
    let reach: UInt = 512
    var found: [FunctionExtent] = []
    for direction: Int32 in [-1, 1] {
      var step = direction
      while let next = beside(step) {
        let distance =
          direction < 0 ? start &- next.range.upperBound : next.start &- range.upperBound
        // Distances below zero: extents that overlap.
        guard distance < reach || Int(bitPattern: distance) < 0, abs(step) < 32 else { break }
        found.append(next)
        step += direction
      }
    }
    return found
  }

  /// The function some places after it in the table of its object, or before it.
  private func beside(_ step: Int32) -> FunctionExtent? {
    var extent = self
    guard let pointer = UnsafeRawPointer(bitPattern: start),
      ckemon_function_beside(pointer, step, &extent.start, &extent.size) != 0
    else { return nil }
    return extent
  }

  /// Where the next function begins, as far as the object's table knows.
  var nextStart: UInt? { beside(1)?.start }

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
