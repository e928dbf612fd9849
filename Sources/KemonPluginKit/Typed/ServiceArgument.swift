// SPDX-License-Identifier: Apache-2.0

/// A Swift type that a service can be given: every ``TypedArgument`` but those of other modules.
public protocol ServiceArgument: TypedArgument {
  /// Puts the value where the host reads it during a call.
  func put(into frame: inout ServiceFrame)
}

/// A number that a service can return.
public protocol ServiceResult: ServiceArgument, BitwiseCopyable {
  /// Nothing yet.
  static var zero: Self { get }
}

/// The arguments of one call of a service, laid out as the host reads them.
public struct ServiceFrame {
  /// For each argument where its value lies; nil for one that is missing.
  let places: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  var place = 0
  /// Room for three words for each argument.
  var next: UnsafeMutablePointer<UInt64>
  /// Copies of texts, which live as long as the call.
  var copies: [UnsafeMutableRawPointer] = []

  static let wordsPerArgument = 3

  /// A value of one word.
  mutating func put(_ word: UInt64) {
    next.pointee = word
    put(at: next)
    next += 1
  }

  /// Address and length.
  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    next[0] = UInt64(UInt(bitPattern: bytes.baseAddress))
    next[1] = UInt64(bytes.count)
    put(at: next)
    next += 2
  }

  /// A value that is missing.
  mutating func putNothing() {
    places[place] = nil
    place += 1
  }

  /// What was put last is an argument's value by its address.
  mutating func pointAtLast() {
    let target = places[place - 1]
    next.pointee = UInt64(UInt(bitPattern: target))
    places[place - 1] = UnsafeMutableRawPointer(next)
    next += 1
  }

  /// A copy of a text with a NUL behind it.
  mutating func copy(_ text: String) -> UnsafeRawBufferPointer {
    var text = text
    return text.withUTF8 { bytes in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
      copy.copyMemory(from: UnsafeRawBufferPointer(bytes))
      copy[bytes.count] = 0
      if let base = copy.baseAddress { copies.append(base) }
      return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[..<bytes.count])
    }
  }

  private mutating func put(at address: UnsafeMutablePointer<UInt64>) {
    places[place] = UnsafeMutableRawPointer(address)
    place += 1
  }
}

extension ServiceResult where Self: FixedWidthInteger {
  /// The low bytes are the number.
  public func put(into frame: inout ServiceFrame) { frame.put(UInt64(truncatingIfNeeded: self)) }
}

extension Int8: ServiceResult {}
extension UInt8: ServiceResult {}
extension Int16: ServiceResult {}
extension UInt16: ServiceResult {}
extension Int32: ServiceResult {}
extension UInt32: ServiceResult {}
extension Int64: ServiceResult {}
extension UInt64: ServiceResult {}
extension Int: ServiceResult {}
extension UInt: ServiceResult {}

extension Double: ServiceResult {
  /// Its bits.
  public func put(into frame: inout ServiceFrame) { frame.put(bitPattern) }
}

extension Float: ServiceResult {
  /// Its bits.
  public func put(into frame: inout ServiceFrame) { frame.put(UInt64(bitPattern)) }
}

extension KernelAddress: ServiceArgument {
  /// The number.
  public func put(into frame: inout ServiceFrame) { frame.put(rawValue) }
}

extension RecordText: ServiceArgument {
  /// Its bytes, in place.
  public func put(into frame: inout ServiceFrame) { frame.put(bytes) }
}

extension String: ServiceArgument {
  /// A copy of its bytes, for the call.
  public func put(into frame: inout ServiceFrame) { frame.put(frame.copy(self)) }
}

extension RecordView: ServiceArgument {
  /// Its address.
  public func put(into frame: inout ServiceFrame) {
    frame.put(UInt64(UInt(bitPattern: event)))
  }
}

extension Optional: ServiceArgument where Wrapped: ServiceArgument {
  /// The value, or that there is none.
  public func put(into frame: inout ServiceFrame) {
    guard let self else { return frame.putNothing() }
    self.put(into: &frame)
    if !Self.isPointer { frame.pointAtLast() }
  }
}

/// A text as functions of C take it, NUL-terminated: type `z` of a signature.
///
/// A `String` is type `b`: bytes and their number.
public struct CText: Sendable, Hashable {
  /// The text.
  public let string: String

  /// Takes a text; for C it ends at its first NUL.
  public init(_ string: String) { self.string = string }
}

extension CText: ServiceArgument {
  /// A pointer to bytes that end with a NUL.
  public static let signature = "z"

  /// Copies the bytes.
  public init(typedWords words: UnsafePointer<UInt64>) {
    let text = UnsafePointer<CChar>(bitPattern: UInt(words.pointee))
    self.init(text.map { String(cString: $0) } ?? "")
  }

  /// A copy of its bytes, for the call.
  public func put(into frame: inout ServiceFrame) {
    frame.put(UInt64(UInt(bitPattern: frame.copy(string).baseAddress)))
  }
}
