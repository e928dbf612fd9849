// SPDX-License-Identifier: Apache-2.0

private import Synchronization

/// A value that handlers read while another one takes its place: settings of a plugin that is ``Reconfigurable``.
///
/// Reading takes no lock. Values that were replaced are kept until this goes, because a handler may still read them.
public final class Live<Value: Sendable>: Sendable {
  private final class Box: Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
  }

  private let current: Atomic<UInt>
  private let boxes: Mutex<[Box]>

  /// Begins with a value.
  public init(_ value: Value) {
    let box = Box(value)
    current = Atomic(Self.address(box))
    boxes = Mutex([box])
  }

  /// The value as it is now; any thread.
  public var value: Value {
    // The address of a box that lives as long as this object.
    guard let box = UnsafeRawPointer(bitPattern: current.load(ordering: .acquiring)) else {
      preconditionFailure("there is always a value")
    }
    return Unmanaged<Box>.fromOpaque(box)._withUnsafeGuaranteedRef { $0.value }
  }

  /// Puts another value in its place; any thread.
  public func replace(with value: Value) {
    let box = Box(value)
    boxes.withLock { boxes in
      boxes.append(box)
      current.store(Self.address(box), ordering: .releasing)
    }
  }

  private static func address(_ box: Box) -> UInt {
    UInt(bitPattern: Unmanaged.passUnretained(box).toOpaque())
  }
}
