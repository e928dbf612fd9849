// SPDX-License-Identifier: Apache-2.0

internal import CFFI
internal import CKernelImage
internal import KemonFFI

// Unchecked: nothing changes after init, and libffi only reads.
/// An operation's prototype, ready to be called and to be called by.
///
/// Lives as long as the process: there is one for each row of the generated list.
final class MACPrototype: @unchecked Sendable {
  let operation: MACOperation
  /// The description that libffi wants.
  var cif: UnsafeMutablePointer<ffi_cif> { interface.cif }
  private let interface: CallInterface

  /// The prototype of an operation.
  static func of(_ operation: MACOperation) -> MACPrototype { all[operation.row] }

  private static let all: [MACPrototype] = {
    var byRow: [Int: MACOperation] = [:]
    for table in MACTable.all { for slot in table.slots { byRow[slot.row] = slot } }
    return byRow.sorted { $0.key < $1.key }.map { MACPrototype($0.value) }
  }()

  private init(_ operation: MACOperation) {
    self.operation = operation
    guard
      let interface = CallInterface(
        operation.parameters.map { Self.type($0.type) }, returning: Self.type(operation.result))
    else { preconditionFailure("libffi can not call \(operation.signature)") }
    self.interface = interface
  }

  // MARK: Arguments

  /// What libffi has of the arguments of a call: a pointer to each.
  typealias Arguments = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  /// Writes the arguments as words of 64 bits.
  func copy(_ arguments: Arguments, to words: UnsafeMutableBufferPointer<UInt64>) {
    var next = 0
    for (index, parameter) in operation.parameters.enumerated() {
      guard let value = arguments[index] else { continue }
      switch parameter.type.shape {
      case .none: continue
      case .integer(let bytes, let isSigned): words[next] = Self.load(value, bytes, isSigned)
      case .structure(let parts):
        for part in parts.indices {
          words[next + part] = value.loadUnaligned(fromByteOffset: 8 * part, as: UInt64.self)
        }
      }
      next += parameter.type.words
    }
  }

  /// Calls a function with arguments that libffi has.
  func call(_ function: UnsafeRawPointer, _ arguments: Arguments) -> Int32 {
    var result = ffi_arg()
    let target = unsafeBitCast(function, to: (@convention(c) () -> Void).self)
    ffi_call(cif, target, &result, arguments)
    return Int32(truncatingIfNeeded: result)
  }

  /// Calls a function with arguments as words of 64 bits.
  func call(_ function: UnsafeRawPointer, words: UnsafePointer<UInt64>) -> Int32 {
    // Little endian: a shorter value begins where its word does.
    let values = UnsafeMutableRawPointer(mutating: words)
    return withUnsafeTemporaryAllocation(
      of: UnsafeMutableRawPointer?.self, capacity: operation.parameters.count + 1
    ) { arguments in
      var next = 0
      for (index, parameter) in operation.parameters.enumerated() {
        arguments.initializeElement(at: index, to: values + 8 * next)
        next += parameter.type.words
      }
      guard let arguments = arguments.baseAddress else { return 0 }
      return call(function, arguments)
    }
  }

  private static func load(_ value: UnsafeRawPointer, _ bytes: Int, _ isSigned: Bool) -> UInt64 {
    switch (bytes, isSigned) {
    case (2, _): UInt64(value.load(as: UInt16.self))
    case (4, true): UInt64(bitPattern: Int64(value.load(as: Int32.self)))
    case (4, false): UInt64(value.load(as: UInt32.self))
    default: value.load(as: UInt64.self)
    }
  }

  // MARK: Types

  private static func type(_ type: MACType) -> CallType {
    switch type.shape {
    case .none: .void
    case .integer(2, _): .uint16
    case .integer(4, let isSigned): isSigned ? .int32 : .uint32
    case .integer(_, let isSigned): isSigned ? .int64 : .uint64
    // A structure of that many integers of 64 bits: such are passed as any others of their size are.
    case .structure(let words): .structure(words.map { _ in .uint64 })
    }
  }
}
