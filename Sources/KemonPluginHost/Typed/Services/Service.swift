// SPDX-License-Identifier: Apache-2.0

internal import CFFI
import Glibc
import KemonBus
import KemonEvents
import KemonFFI
import Synchronization

// Unchecked: nothing changes after init but the atomic.
/// A function that one plugin offers to others, with what calling it takes.
///
/// Never freed: a plugin may hold a binding to it for as long as it likes.
final class Service: @unchecked Sendable {
  let name: String
  /// The generation of a plugin that offers it.
  let owner: UInt32
  private let pluginID: UInt32
  let ownerName: String
  let signature: TypedSignature
  let layout: CallLayout

  private let function: UnsafeRawPointer
  private let context: UnsafeMutableRawPointer?
  private let interface: CallInterface
  /// Twice the number of calls that are inside, and 1 when no more may come.
  private let calls = Atomic<Int>(0)

  init(
    _ name: String, _ signature: TypedSignature, owner: UInt32, pluginID: UInt32,
    ownerName: String,
    function: UnsafeRawPointer, context: UnsafeMutableRawPointer?
  ) {
    self.name = name
    self.owner = owner
    self.pluginID = pluginID
    self.ownerName = ownerName
    self.signature = signature
    self.function = function
    self.context = context
    layout = CallLayout(signature, hasVerdict: false)
    interface = CallInterface.of(layout.arguments.map(\.type), returning: signature.result)
  }

  /// Lets nobody in any more, and returns when the last call has left.
  func close() {
    calls.bitwiseOr(1, ordering: .acquiringAndReleasing)
    while calls.load(ordering: .acquiring) != 1 { usleep(50) }
  }

  /// Calls the function: any thread.
  ///
  /// - Parameters:
  ///   - order: for each field of the signature the caller's argument; -1 for one that it does not have.
  ///   - result: room for the result, or nil.
  /// - Returns: false when the service is closed.
  func call(
    _ order: [Int], _ arguments: UnsafePointer<UnsafeMutableRawPointer?>?,
    _ result: UnsafeMutableRawPointer?
  ) -> Bool {
    guard calls.wrappingAdd(2, ordering: .acquiring).oldValue & 1 == 0 else {
      calls.wrappingSubtract(2, ordering: .releasing)
      return false
    }
    defer { calls.wrappingSubtract(2, ordering: .releasing) }
    // The fast lane reads as many words, whether they are used or not.
    let words = max(layout.frameWords, layout.passedWords)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { buffer in
      buffer.initialize(repeating: 0)
      guard let frame = buffer.baseAddress else { return }
      if layout.lane != .words { frame[0] = UInt64(UInt(bitPattern: context)) }
      for (index, field) in signature.fields.enumerated() {
        guard order[index] >= 0, let value = arguments?[order[index]] else { continue }
        Self.store(field.type, from: value, to: frame + layout.places[index])
      }
      HandlerCrumb.current.during("service", ofPlugin: pluginID) { callOwner(frame, result) }
    }
    return true
  }

  private func callOwner(_ frame: UnsafeMutablePointer<UInt64>, _ result: UnsafeMutableRawPointer?)
  {
    switch layout.lane {
    case .fast: callFast(frame, result)
    case .ffi: callFFI(frame, result)
    case .words: callWords(frame, result)
    }
  }

  private func callFast(_ frame: UnsafeMutablePointer<UInt64>, _ result: UnsafeMutableRawPointer?) {
    var word = cffi_call_words(function, frame, UInt32(layout.argumentWords))
    if let result, let type = signature.result {
      result.copyMemory(from: &word, byteCount: type.size)
    }
  }

  private func callFFI(_ frame: UnsafeMutablePointer<UInt64>, _ result: UnsafeMutableRawPointer?) {
    // libffi widens small results to a word, and a structure needs room for itself.
    let size = max(signature.result?.size ?? 0, MemoryLayout<ffi_arg>.size)
    withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { returned in
      withUnsafeTemporaryAllocation(
        of: UnsafeMutableRawPointer?.self, capacity: layout.arguments.count
      ) { pointers in
        for (index, argument) in layout.arguments.enumerated() {
          pointers[index] = UnsafeMutableRawPointer(frame + argument.word)
        }
        cffi_call(interface.cif, function, returned.baseAddress, pointers.baseAddress)
      }
      guard let result, let type = signature.result, let source = returned.baseAddress else {
        return
      }
      result.copyMemory(from: source, byteCount: type.size)
    }
  }

  /// The function writes its result itself, also when the caller has no room for it.
  private func callWords(_ frame: UnsafeMutablePointer<UInt64>, _ result: UnsafeMutableRawPointer?)
  {
    let function = unsafeBitCast(function, to: kemon_words_service_fn.self)
    guard let type = signature.result else { return function(context, frame, nil) }
    withUnsafeTemporaryAllocation(byteCount: type.size, alignment: 16) { returned in
      returned.initializeMemory(as: UInt8.self, repeating: 0)
      function(context, frame, returned.baseAddress)
      guard let result, let source = returned.baseAddress else { return }
      result.copyMemory(from: source, byteCount: type.size)
    }
  }

  /// Copies a value of C into its words; small numbers are widened as their sign says.
  private static func store(
    _ type: TypedType, from value: UnsafeRawPointer, to word: UnsafeMutablePointer<UInt64>
  ) {
    switch type {
    case .scalar(.int8): word.pointee = UInt64(bitPattern: Int64(value.load(as: Int8.self)))
    case .scalar(.int16): word.pointee = UInt64(bitPattern: Int64(value.load(as: Int16.self)))
    case .scalar(.int32): word.pointee = UInt64(bitPattern: Int64(value.load(as: Int32.self)))
    default: UnsafeMutableRawPointer(word).copyMemory(from: value, byteCount: type.size)
    }
  }
}
