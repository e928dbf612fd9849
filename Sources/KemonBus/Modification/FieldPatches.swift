// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// What the handlers of one ballot want to change in the event.
///
/// The order in which they say so does not matter: of two values for one field that of the lower priority wins, and two
/// of the same priority that differ are a conflict.
struct FieldPatches {
  private struct Patch {
    let row: Int
    var value: UInt64
    var priority: Int32
    var isConflict = false
  }

  private var patches: [Patch] = []

  var isEmpty: Bool { patches.isEmpty }

  /// Whether two who are equals want different values.
  var isConflict: Bool { patches.contains(where: \.isConflict) }

  /// Adds what a handler wants.
  ///
  /// - Parameter row: of ``ModifiableFields/rows``.
  mutating func add(row: Int, value: UInt64, priority: Int32) {
    let patch = Patch(row: row, value: value, priority: priority)
    guard let index = patches.firstIndex(where: { $0.row == row }) else {
      patches.append(patch)
      return
    }
    if priority < patches[index].priority {
      patches[index] = patch
    } else if priority == patches[index].priority, value != patches[index].value {
      patches[index].isConflict = true
    }
  }

  /// Writes the values into the payload; false when nothing has changed.
  func apply(to builder: inout RecordBuilder) -> Bool {
    var hasChanged = false
    for patch in patches {
      let field = ModifiableFields.rows[patch.row].field
      guard field.offset + field.width <= Int(builder.header.pointee.payload_size) else { continue }
      let place =
        UnsafeMutableRawPointer(builder.header) + Int(builder.header.pointee.payload_off)
        + field.offset
      withUnsafeBytes(of: patch.value.littleEndian) { bytes in
        let new = UnsafeRawBufferPointer(rebasing: bytes[..<field.width])
        if !new.elementsEqual(UnsafeRawBufferPointer(start: place, count: field.width)) {
          hasChanged = true
          place.copyMemory(
            from: bytes.baseAddress ?? UnsafeRawPointer(place), byteCount: field.width)
        }
      }
    }
    return hasChanged
  }
}
