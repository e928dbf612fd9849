// SPDX-License-Identifier: Apache-2.0

private import Synchronization

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#endif

/// The extension `kemon.blob/1`: memory of the plugin's own for each process, kept by the host.
public struct ProcessMemory: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: Host
  let table: UnsafePointer<kemon_ext_blob>

  /// Reserves a value for each process that acts in events; in `init` or `start` only.
  ///
  /// Several threads may have the value of a process at a time, so it holds atomics or a `Mutex`. A handler that is
  /// late is not waited for when a value ends: with a timeout, values must own no memory, as arrays and texts do.
  ///
  /// - Parameters:
  ///   - count: for so many processes at a time; then the one that was asked for longest ago loses its value.
  ///   - atEnd: called once for each value before it goes; by any thread, one call at a time.
  ///   - make: makes the value of a process when it is asked for first; quick.
  /// - Throws: when the value or the count is too large, or the plugin has too many of them.
  public func reserve<Value: ~Copyable & Sendable>(
    upTo count: UInt32, atEnd: (@Sendable (borrowing Value) -> Void)? = nil,
    _ make: @escaping @Sendable () -> Value
  ) throws(HostRefusal) -> Slot<Value> {
    precondition(MemoryLayout<Value>.alignment <= Header.bytes, "no memory is aligned like that")
    let farewell = Farewell { memory in
      let value = Slot<Value>.value(in: memory)
      atEnd?(value.pointee)
      value.deinitialize(count: 1)
    }
    // The host calls it until the plugin's end, whoever still has the slot.
    host.context.keep(farewell)
    var number: UInt32 = 0
    let status = table.pointee.reserve(
      host.table, UInt32(clamping: Header.bytes + MemoryLayout<Value>.size), count, bidFarewell,
      Unmanaged.passUnretained(farewell).toOpaque(), &number)
    try HostRefusal.check(status, "reserve")
    return Slot(memory: self, number: number, make: make)
  }

  /// A value for each process.
  public struct Slot<Value: ~Copyable & Sendable>: Sendable {
    let memory: ProcessMemory
    let number: UInt32
    let make: @Sendable () -> Value

    /// Gives a closure the value of the process that acts in an event; inside a handler of ``On`` only.
    ///
    /// - Returns: nil, without a call, when the host has no memory.
    public func with<Answer, Failure: Error>(
      _ event: Event, _ body: (borrowing Value) throws(Failure) -> Answer
    ) throws(Failure) -> Answer? {
      guard
        let piece = memory.table.pointee.get(memory.host.table, number, event.event)
      else { return nil }
      if Header.of(piece).pointee.load(ordering: .acquiring) != Header.ready { prepare(piece) }
      return try body(Self.value(in: piece).pointee)
    }

    /// Puts a value into memory that is new; one thread does, the others wait for it.
    private func prepare(_ piece: UnsafeMutableRawPointer) {
      let header = Header.of(piece)
      let (isMine, _) = header.pointee.compareExchange(
        expected: Header.new, desired: Header.inWork, ordering: .acquiring)
      guard isMine else {
        while header.pointee.load(ordering: .acquiring) != Header.ready { sched_yield() }
        return
      }
      Self.value(in: piece).initialize(to: make())
      header.pointee.store(Header.ready, ordering: .releasing)
    }

    static func value(in piece: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Value> {
      (piece + Header.bytes).assumingMemoryBound(to: Value.self)
    }
  }
}

/// What stands in front of a value; the host gives memory that is zero, which is a new one's.
private enum Header {
  static let (new, inWork, ready): (UInt32, UInt32, UInt32) = (0, 1, 2)
  /// As much as the host's memory is aligned to.
  static let bytes = 16

  static func of(_ piece: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt32>> {
    piece.assumingMemoryBound(to: Atomic<UInt32>.self)
  }
}

/// What the host's context of a slot points at.
private final class Farewell: Sendable {
  let body: @Sendable (UnsafeMutableRawPointer) -> Void

  init(_ body: @escaping @Sendable (UnsafeMutableRawPointer) -> Void) { self.body = body }
}

private let bidFarewell: kemon_blob_fini = { context, piece in
  guard let context, let piece else { return }
  // Nobody is at the piece any more; one that nobody has got ready holds no value.
  guard Header.of(piece).pointee.load(ordering: .acquiring) == Header.ready else { return }
  Unmanaged<Farewell>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.body(piece) }
}
