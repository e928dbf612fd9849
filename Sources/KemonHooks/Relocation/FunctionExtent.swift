// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform

/// Where a function's code lies.
public struct FunctionExtent: Sendable, Equatable {
  /// Its first byte.
  public let start: UInt
  /// How many bytes it has.
  public let size: Int

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
    var edge = start
    while start &- edge < reach,
      let next = Self.first(in: (1...Self.largestGap).lazy.map({ edge &- $0 }))
    {
      found.append(next)
      edge = next.start
    }
    let end = range.upperBound
    edge = end
    while edge &- end < reach,
      let next = Self.first(in: (0..<Self.largestGap).lazy.map({ edge &+ $0 }))
    {
      found.append(next)
      edge = next.range.upperBound
    }
    return found
  }

  /// The most padding between two functions: they begin at multiples of 64 at most.
  private static let largestGap: UInt = 64

  private static func first(in places: some Sequence<UInt>) -> FunctionExtent? {
    for place in places {
      if let pointer = UnsafeRawPointer(bitPattern: place),
        let extent = FunctionExtent(containing: pointer)
      {
        return extent
      }
    }
    return nil
  }

  /// Its addresses.
  public var range: Range<UInt> { start..<(start &+ UInt(size)) }
}

/// A copy of a function's code without the hooks that stand in it.
struct FunctionCode {
  let extent: FunctionExtent
  let bytes: [UInt8]
  /// Where an entry hook goes: behind `endbr64`, so that indirect calls still find it.
  let entry: UInt

  init(extent: FunctionExtent, bytes: [UInt8]) {
    self.extent = extent
    self.bytes = bytes
    entry = extent.start &+ (bytes.starts(with: [0xF3, 0x0F, 0x1E, 0xFA]) ? 4 : 0)
  }

  var start: UInt { extent.start }

  /// Hands over the code from an address to the end of the function.
  func decode<Result>(
    from address: UInt, _ body: (UnsafeRawBufferPointer) throws(HookError) -> Result
  ) throws(HookError) -> Result {
    let offset = Int(address &- start)
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
