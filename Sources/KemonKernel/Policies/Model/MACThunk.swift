// SPDX-License-Identifier: Apache-2.0

internal import CFFI

// Unchecked: nothing changes after init; subclasses see to what they add.
/// A function of the exact prototype of an operation, made at run time, that calls a method of this object.
///
/// Must outlive every call; whoever takes it out of the kernel sees to that.
class MACThunk: @unchecked Sendable {
  let prototype: MACPrototype
  /// Where the function is.
  let function: UnsafeRawPointer
  private let slot: ThunkMemory.Slot

  init(_ operation: MACOperation) {
    prototype = MACPrototype.of(operation)
    guard let slot = ThunkMemory.take() else {
      preconditionFailure("no memory for a function of \(operation.name)")
    }
    self.slot = slot
    function = UnsafeRawPointer(slot.code)
    let status = ffi_prep_closure_loc(
      slot.closure, prototype.cif,
      { _, result, arguments, user in
        guard let arguments, let user else { return }
        let answer = Unmanaged<MACThunk>.fromOpaque(user)._withUnsafeGuaranteedRef { thunk in
          thunk.called(arguments)
        }
        // libffi widens results to a whole register; a void function has no room for one.
        if let answer { result?.storeBytes(of: Int64(answer), as: Int64.self) }
      }, Unmanaged.passUnretained(self).toOpaque(), slot.code)
    precondition(status == FFI_OK, "libffi can not make a function of \(operation.name)")
  }

  deinit { ThunkMemory.giveBack(slot) }

  /// A call of the function.
  ///
  /// - Returns: what the caller gets; nil for a function without a result.
  func called(_ arguments: MACPrototype.Arguments) -> Int32? { nil }

  /// The result in the way in which ``called(_:)`` returns it.
  func answer(_ result: Int32) -> Int32? {
    prototype.operation.result.name == "void" ? nil : result
  }
}
