// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform

/// The prototype of a function of C: `i32(ptr, cstr, u64, f64)`.
///
/// Says where its arguments and its result are, so that handlers get them as what they are:
///
/// ```swift
/// enum Open {
///   static let prototype = try! HookPrototype("i32(cstr, i32)")
///   static let flags = try! prototype.argument(1, as: Int32.self)
/// }
/// // In a handler, without allocation:
/// Open.flags.set(Open.flags.value(in: frame) | O_CLOEXEC, in: frame)
/// ```
///
/// Structures by value, `long double` and arguments of variadic functions have no place here: handlers read them from
/// the frame itself.
public struct HookPrototype: Sendable, Equatable {
  /// Why a prototype is refused.
  public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, and with which part.
    public let description: String
  }

  /// The type of the result.
  public let result: HookType
  /// The types of the arguments.
  public let arguments: [HookType]

  /// Reads a prototype.
  public init(_ text: String) throws(Failure) {
    let words = text.filter { !$0.isWhitespace }
    guard let open = words.firstIndex(of: "("), words.last == ")" else {
      throw Failure(description: "\"\(text)\" is no prototype; needed is result(argument, …)")
    }
    result = try Self.type(words[..<open], in: text)
    let list = words[words.index(after: open)...].dropLast()
    var arguments: [HookType] = []
    if !list.isEmpty, list != "void" {
      for word in list.split(separator: ",", omittingEmptySubsequences: false) {
        let type = try Self.type(word, in: text)
        guard type != .void else {
          throw Failure(description: "\"\(text)\": an argument can not be void")
        }
        arguments.append(type)
      }
    }
    self.arguments = arguments
  }

  private static func type(_ word: Substring, in text: String) throws(Failure) -> HookType {
    guard let type = HookType(rawValue: String(word)) else {
      let known = HookType.allCases.map(\.rawValue).joined(separator: ", ")
      throw Failure(description: "\"\(text)\": \"\(word)\" is no type; known are \(known)")
    }
    return type
  }

  /// How much of the vector registers a hook of such a function must keep.
  public var vectors: VectorWidth {
    let integers = arguments.count { !$0.isFloating }
    let hasFloating = result.isFloating || integers < arguments.count
    return hasFloating || integers > 6 ? .bytes16 : .integersOnly
  }

  /// The place of an argument.
  ///
  /// - Throws: when there is no such argument, or it has another type.
  public func argument<Value: HookValue>(
    _ index: Int, as type: Value.Type
  ) throws(Failure) -> HookArgument<Value> {
    guard arguments.indices.contains(index) else {
      throw Failure(description: "no argument \(index); there are \(arguments.count)")
    }
    try Self.require(Value.self, for: arguments[index], "argument \(index)")
    let isFloating = arguments[index].isFloating
    let before = arguments[..<index]
    let same = before.count { $0.isFloating == isFloating }
    if isFloating, same < 8 {
      let stride = MemoryLayout<ckemon_vector>.stride
      return HookArgument(offset: Int(CKEMON_FRAME_VECTORS) + stride * same)
    }
    if !isFloating, same < 6 { return HookArgument(offset: Int(CKEMON_FRAME_RDI) + 8 * same) }
    return HookArgument(offset: 8 * Self.stackWords(before), isOnStack: true)
  }

  /// Words of arguments on the stack.
  var stackWords: Int { Self.stackWords(arguments[...]) }

  private static func stackWords(_ arguments: ArraySlice<HookType>) -> Int {
    let floating = arguments.count { $0.isFloating }
    return max(0, floating - 8) + max(0, arguments.count - floating - 6)
  }

  /// The place of the result.
  ///
  /// - Throws: when it has another type.
  public func result<Value: HookValue>(as type: Value.Type) throws(Failure) -> HookArgument<Value> {
    try Self.require(Value.self, for: result, "the result")
    return HookArgument(
      offset: Int(result.isFloating ? CKEMON_FRAME_RESULT_VECTORS : CKEMON_FRAME_RESULT))
  }

  private static func require<Value: HookValue>(
    _ value: Value.Type, for type: HookType, _ what: String
  ) throws(Failure) {
    guard Value.types.contains(type) else {
      let known = Value.types.map(\.rawValue).joined(separator: " or ")
      throw Failure(
        description: "\(what) is \(type.rawValue); \(Value.self) stands for \(known)")
    }
  }
}

/// Where an argument or a result of a call is: reads and writes it in a frame, without allocation.
@frozen public struct HookArgument<Value: HookValue>: Sendable {
  // From the beginning of the frame, or of the caller's stack arguments.
  @usableFromInline let offset: Int
  @usableFromInline let isOnStack: Bool

  init(offset: Int, isOnStack: Bool = false) {
    self.offset = offset
    self.isOnStack = isOnStack
  }

  /// The address of its lowest byte.
  @inlinable @inline(__always)
  func address(_ frame: UnsafeMutablePointer<HookFrame>) -> UnsafeMutableRawPointer {
    let base =
      isOnStack
      ? UnsafeMutableRawPointer(frame.pointee.stack_arguments) : UnsafeMutableRawPointer(frame)
    return base + offset
  }

  /// What the call has there.
  @inlinable @inline(__always)
  public func value(in frame: UnsafeMutablePointer<HookFrame>) -> Value {
    Value(hookWord: address(frame).load(as: UInt64.self))
  }

  /// Changes it.
  @inlinable @inline(__always)
  public func set(_ value: Value, in frame: UnsafeMutablePointer<HookFrame>) {
    address(frame).storeBytes(of: value.hookWord, as: UInt64.self)
  }
}
