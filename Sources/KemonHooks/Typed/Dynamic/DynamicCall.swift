// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  internal import CFFI
  internal import KemonFFI

  /// One call of a function whose prototype came at run time, as handlers see it.
  ///
  /// Exists for as long as the handler runs, on its thread.
  public struct DynamicCall: ~Copyable {
    /// The function's prototype.
    public var prototype: DynamicPrototype { described.prototype }

    /// What became of the original, in a post handler.
    public enum Ending: Sendable {
      /// It has not been called yet.
      case pending
      /// It returned the result.
      case returned
      /// A pre handler left it out.
      case skipped
      /// An exception left it, or the thread ends: there is no result.
      case unwound
    }

    /// What became of the original.
    public let ending: Ending

    let described: DescribedCall
    /// Where each argument's value lies.
    package let arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// Room for the result: 16 bytes, or those of its structure.
    package let result: UnsafeMutableRawPointer
    /// The address that calls the function as it was.
    package let original: UInt

    /// Reads an argument.
    ///
    /// - Throws: ``PrototypeError/Code-swift.enum/noSuchArgument``.
    public func argument(_ index: Int) throws(PrototypeError) -> DynamicValue {
      DynamicValue(try type(of: index), at: try place(of: index))
    }

    /// Changes an argument: from a pre handler the original gets it, in a detour ``callOriginal()``.
    ///
    /// - Throws: ``PrototypeError/Code-swift.enum/noSuchArgument`` or `wrongValue`; nothing has changed then, but members
    ///   of a structure in front of one that does not fit.
    public mutating func setArgument(
      _ index: Int, to value: DynamicValue
    ) throws(PrototypeError) {
      try value.store(as: try type(of: index), at: try place(of: index))
    }

    /// The result: in a post handler the function's, elsewhere what was set.
    public func returnedValue() -> DynamicValue { DynamicValue(prototype.result, at: result) }

    /// Sets the result: a post handler replaces the function's, a pre handler that skips gives one, a detour returns it.
    ///
    /// - Throws: ``PrototypeError/Code-swift.enum/wrongValue``.
    public mutating func setReturnedValue(_ value: DynamicValue) throws(PrototypeError) {
      try value.store(as: prototype.result, at: result)
    }

    /// Calls the function as it was with the arguments as they are now, and keeps its result.
    ///
    /// No handler sees the call.
    public mutating func callOriginal() {
      described.call(UnsafeRawPointer(bitPattern: original), arguments, result)
    }

    private func type(of index: Int) throws(PrototypeError) -> DynamicType {
      guard prototype.arguments.indices.contains(index) else {
        throw PrototypeError(
          .noSuchArgument,
          "no argument \(index); \(prototype) has \(prototype.arguments.count), from 0")
      }
      return prototype.arguments[index]
    }

    private func place(of index: Int) throws(PrototypeError) -> UnsafeMutableRawPointer {
      guard let place = arguments[index] else {
        preconditionFailure("argument \(index) has no place")
      }
      return place
    }
  }

  /// A prototype with what is needed to make its calls and to watch them.
  package final class DescribedCall: Sendable {
    let prototype: DynamicPrototype
    let layout: CallLayout
    let interface: CallInterface

    package init(_ prototype: DynamicPrototype) throws(PrototypeError) {
      self.prototype = prototype
      layout = CallLayout(prototype)
      interface = try prototype.callInterface()
    }

    /// Calls a function; the result has room for 16 bytes at least.
    package func call(
      _ function: UnsafeRawPointer?, _ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
      _ result: UnsafeMutableRawPointer
    ) {
      cffi_call(interface.cif, function, result, arguments)
    }
  }
#endif
