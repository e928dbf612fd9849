// SPDX-License-Identifier: Apache-2.0

/// A Swift type that a handler can take named values of an event as: see ``On``.
///
/// Numbers, ``KernelAddress``, `String`, ``KemonEvents/RecordText``, ``Event``, and optionals of them for what may be missing.
public protocol TypedArgument: SendableMetatype {
  /// The letters of `kemon/typed.h`.
  static var signature: String { get }
  /// Whether the value may be missing.
  static var isOptional: Bool { get }
  /// How many words the host passes for it.
  static var wordCount: Int { get }
  /// Reads it from the words of the host; they live until the handler returns.
  init(typedWords words: UnsafePointer<UInt64>)
}

extension TypedArgument {
  /// Values that are no optionals are there.
  public static var isOptional: Bool { false }
  /// Most values are one word.
  public static var wordCount: Int { 1 }
}

/// An address where the event happened: never to be followed.
public struct KernelAddress: Hashable, Sendable {
  /// The number.
  public let rawValue: UInt64

  /// Takes a number.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

// The words of numbers are widened by the host; their low bits are the number.

extension TypedArgument where Self: FixedWidthInteger {
  /// Reads the low bits.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    self.init(truncatingIfNeeded: words.pointee)
  }
}

extension Int8: TypedArgument {
  /// `int8_t`.
  public static let signature = "c"
}

extension UInt8: TypedArgument {
  /// `uint8_t`.
  public static let signature = "C"
}

extension Int16: TypedArgument {
  /// `int16_t`.
  public static let signature = "h"
}

extension UInt16: TypedArgument {
  /// `uint16_t`.
  public static let signature = "H"
}

extension Int32: TypedArgument {
  /// `int32_t`.
  public static let signature = "i"
}

extension UInt32: TypedArgument {
  /// `uint32_t`.
  public static let signature = "I"
}

extension Int64: TypedArgument {
  /// `int64_t`.
  public static let signature = "l"
}

extension Int: TypedArgument {
  /// `int64_t`.
  public static let signature = "l"
}

extension UInt64: TypedArgument {
  /// `uint64_t`.
  public static let signature = "L"
}

extension UInt: TypedArgument {
  /// `size_t`.
  public static let signature = "n"
}

extension Double: TypedArgument {
  /// `double`.
  public static let signature = "d"
  /// Reads its bits.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    self.init(bitPattern: words.pointee)
  }
}

extension Float: TypedArgument {
  /// `float`.
  public static let signature = "f"
  /// Reads its bits.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    self.init(bitPattern: UInt32(truncatingIfNeeded: words.pointee))
  }
}

extension KernelAddress: TypedArgument {
  /// An address.
  public static let signature = "p"
  /// Takes the number.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    self.init(rawValue: words.pointee)
  }
}

extension RecordText: TypedArgument {
  /// Bytes and their number.
  public static let signature = "b"
  /// Address and length.
  public static let wordCount = 2
  /// Takes bytes that live until the handler returns.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    self.init(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: UInt(words[0])), count: Int(words[1])))
  }
}

extension String: TypedArgument {
  /// Bytes and their number.
  public static let signature = "b"
  /// Address and length.
  public static let wordCount = 2
  /// Copies the bytes, with replacement characters where they are not UTF-8.
  public init(typedWords words: UnsafePointer<UInt64>) {
    self = RecordText(typedWords: words).string
  }
}

extension RecordView: TypedArgument {
  /// The event itself; its name is `event`.
  public static let signature = "e"
  /// Takes the host's event.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    guard let event = UnsafePointer<kemon_event>(bitPattern: UInt(words.pointee)) else {
      preconditionFailure("the host passed no event")
    }
    self.init(trusted: event)
  }
}

extension Optional: TypedArgument where Wrapped: TypedArgument {
  /// A pointer to the value; texts and events are pointers already.
  public static var signature: String {
    isPointer ? Wrapped.signature : "*" + Wrapped.signature
  }
  /// It may be missing.
  public static var isOptional: Bool { true }
  /// As many as the value's.
  public static var wordCount: Int { Wrapped.wordCount }
  /// Follows the pointer; nil when it is null.
  @inlinable public init(typedWords words: UnsafePointer<UInt64>) {
    guard let target = UnsafePointer<UInt64>(bitPattern: UInt(words.pointee)) else {
      self = nil
      return
    }
    guard !Self.isPointer else {
      self = Wrapped(typedWords: words)
      return
    }
    // What is pointed at may be no longer than the number itself: a caller's own variable.
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) {
      $0.copyMemory(
        from: UnsafeRawBufferPointer(start: target, count: min(8, MemoryLayout<Wrapped>.size)))
    }
    self = Wrapped(typedWords: &word)
  }

  @usableFromInline static var isPointer: Bool {
    let text = Wrapped.signature
    return text == "z" || text == "b" || text == "e"
  }
}
