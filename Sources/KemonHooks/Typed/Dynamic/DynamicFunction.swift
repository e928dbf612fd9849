// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  /// A function of C whose prototype is known only when the program runs.
  public struct DynamicFunction: Sendable {
    /// The prototype.
    public var prototype: DynamicPrototype { described.prototype }

    private let address: UInt
    private let described: DescribedCall

    /// Names a function.
    ///
    /// - Parameters:
    ///   - address: its first byte; nothing checks that the function has this prototype.
    ///   - prototype: how it is called.
    /// - Throws: ``PrototypeError/Code-swift.enum/tooLarge`` when libffi can not make such calls.
    public init(
      at address: UnsafeRawPointer, prototype: DynamicPrototype
    ) throws(PrototypeError) {
      self.address = UInt(bitPattern: address)
      described = try DescribedCall(prototype)
    }

    /// Calls it.
    ///
    /// - Throws: ``PrototypeError/Code-swift.enum/wrongValue`` when the arguments are not those of the prototype; it has not
    ///   been called then.
    public func callAsFunction(_ values: [DynamicValue]) throws(PrototypeError) -> DynamicValue {
      guard values.count == prototype.arguments.count else {
        throw PrototypeError(
          .noSuchArgument,
          "\(values.count) arguments; \(prototype) has \(prototype.arguments.count)")
      }
      let list = ArgumentList(described)
      for (index, type) in prototype.arguments.enumerated() {
        try values[index].store(as: type, at: list.values + described.layout.offsets[index])
      }
      described.call(UnsafeRawPointer(bitPattern: address), list.places, list.result)
      return DynamicValue(prototype.result, at: list.result)
    }
  }

  /// Room for the arguments and the result of one call, zero at first.
  struct ArgumentList: ~Copyable {
    /// One behind the other, as the layout says.
    let values: UnsafeMutableRawPointer
    /// Where each of them lies.
    let places: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    let result: UnsafeMutableRawPointer

    init(_ described: DescribedCall) {
      let layout = described.layout
      let count = layout.offsets.count
      let resultSize = max(16, described.prototype.result.size)
      let listSize = count * MemoryLayout<UnsafeMutableRawPointer?>.stride
      let size = layout.size + resultSize + listSize
      values = .allocate(byteCount: size, alignment: 16)
      values.initializeMemory(as: UInt8.self, repeating: 0, count: size)
      result = values + layout.size
      places = (result + resultSize).bindMemory(
        to: UnsafeMutableRawPointer?.self, capacity: count)
      for (index, offset) in layout.offsets.enumerated() { places[index] = values + offset }
    }

    deinit { values.deallocate() }
  }
#endif
