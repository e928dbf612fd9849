// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform

/// The functions of one loaded object in ascending order, as its unwind information lists them.
struct FunctionTable {
  private var table = ckemon_function_table()

  /// Finds the table of the object that holds an address; nil when it has none.
  init?(of address: UInt) {
    guard let pointer = UnsafeRawPointer(bitPattern: address),
      ckemon_function_table_find(pointer, &table) != 0
    else { return nil }
  }

  /// Whether an address lies in the object.
  func holds(_ address: UInt) -> Bool { address >= table.begin && address < table.end }

  /// The last row that begins at or before an address; -1 when there is none.
  func row(of address: UInt) -> Int {
    withUnsafePointer(to: table) {
      Int(ckemon_function_row($0, UnsafeRawPointer(bitPattern: address)))
    }
  }

  /// The function in a row; nil behind either end.
  subscript(row: Int) -> FunctionExtent? {
    var start: UInt = 0
    var size = 0
    let isFound = withUnsafePointer(to: table) {
      ckemon_function_at_row($0, Int64(row), &start, &size) != 0
    }
    return isFound ? FunctionExtent(range: start..<(start &+ UInt(size))) : nil
  }

  /// The function that holds an address.
  func function(at address: UInt) -> FunctionExtent? {
    self[row(of: address)].flatMap { $0.range.contains(address) ? $0 : nil }
  }

  /// Hands over the functions around one that are so near that they may be of one piece with it.
  ///
  /// Functions written in assembly jump into each other: `mempcpy` of the C library into `memmove`, over a third one.
  func neighbours(of function: FunctionExtent, _ body: (FunctionExtent) -> Void) {
    let reach: UInt = 512
    let own = row(of: function.start)
    // Several functions in assembly may share one row: then those beside it in the row are neighbours, too.
    if let shared = self[own], shared != function, shared.range.overlaps(function.range) {
      body(shared)
    }
    for direction in [-1, 1] {
      for step in 1..<32 {
        guard let next = self[own + direction * step] else { break }
        let distance =
          direction < 0
          ? function.start &- next.range.upperBound : next.start &- function.range.upperBound
        // Distances below zero: extents that overlap.
        guard distance < reach || Int(bitPattern: distance) < 0 else { break }
        body(next)
      }
    }
  }
}
