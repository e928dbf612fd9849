// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPlatform

// Unchecked: the addresses are behind a lock, what they point at belongs to the plugin until it gives it back.
/// Copies of events that a plugin holds beyond its handler's call.
final class RetainedEvents: @unchecked Sendable {
  /// How many bytes one plugin may hold.
  static let byteLimit = 16 << 20

  private let held = PosixLock<(sizes: [UInt: Int], bytes: Int)>(([:], 0))

  deinit { releaseAll() }

  /// Copies an event; nil when too many bytes are held.
  func retain(_ record: RecordView) -> UnsafePointer<kemon_event>? {
    let size = record.size
    let isRoom = held.withLock { held in
      guard held.bytes + size <= Self.byteLimit else { return false }
      held.bytes += size
      return true
    }
    guard isRoom else { return nil }
    let copy = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    copy.copyMemory(from: record.event, byteCount: size)
    held.withLock { $0.sizes[UInt(bitPattern: copy)] = size }
    return UnsafePointer(copy.assumingMemoryBound(to: kemon_event.self))
  }

  /// Frees a copy; false when it is none.
  func release(_ event: UnsafePointer<kemon_event>) -> Bool {
    let isHeld = held.withLock { held in
      guard let size = held.sizes.removeValue(forKey: UInt(bitPattern: event)) else { return false }
      held.bytes -= size
      return true
    }
    if isHeld { UnsafeMutableRawPointer(mutating: event).deallocate() }
    return isHeld
  }

  /// Frees what was not given back, and says how much that was.
  @discardableResult
  func releaseAll() -> Int {
    let sizes = held.withLock { held in
      defer { held = ([:], 0) }
      return held.sizes
    }
    for address in sizes.keys { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    return sizes.count
  }
}
