// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc

/// A function of a policy of the model.
public struct MACHandler: Sendable {
  /// The operation that it is for, with or without `mpo_`.
  public let operation: String
  /// Where the model says that it is; nil for where it really is.
  public let address: UInt64?
  /// What it does: gets the arguments as words of 64 bits, and returns a Darwin errno, or what else the operation returns.
  public let body: @Sendable ([UInt64]) -> Int32

  /// Describes a function; one that always returns 0 unless another is given.
  public init(
    _ operation: String, address: UInt64? = nil,
    body: @escaping @Sendable ([UInt64]) -> Int32 = { _ in 0 }
  ) {
    self.operation = operation
    self.address = address
    self.body = body
  }
}

// Unchecked: the structures belong to the kernel while it is registered, which has its own rules for them.
/// A policy in the memory of the model: a mac_policy_conf and a mac_policy_ops.
public final class MACPolicy: @unchecked Sendable {
  /// The table that it was built for, which need not be the kernel's.
  public let table: MACTable
  /// Where the model says its mac_policy_conf is; nil for where it really is.
  let claimedConf: UInt64?
  /// Where the model says its mac_policy_ops is.
  let claimedOps: UInt64?
  /// Where the model says its functions are, by slot.
  let claimedFunctions: [Int: UInt64]

  let conf: UnsafeMutablePointer<mac_policy_conf>
  private let ops: UnsafeMutablePointer<UnsafeRawPointer?>
  private let labelSlot: UnsafeMutablePointer<Int32>
  private let texts: [UnsafeMutablePointer<CChar>]
  private let thunks: [MACThunk]

  /// More than any kernel reads: what is behind a short table is empty here, and anything there.
  private static let slots = MACTable.all.map(\.slots.count).max() ?? 0

  /// Makes a policy.
  ///
  /// - Parameters:
  ///   - name: the short name; nil leaves it out, which kernels do not survive.
  ///   - fullName: the name for people.
  ///   - table: the table that it was built for.
  ///   - flags: MPC_LOADTIME_FLAG_* bits.
  ///   - wantsLabels: whether it asks for a slot in the labels of objects.
  ///   - handlers: its functions; nil for a policy without a table.
  ///   - address: where the model says its mac_policy_conf and mac_policy_ops are.
  /// - Throws: for an operation that the table does not have, or that is there twice.
  public init(
    name: String?, fullName: String?, table: MACTable, flags: Int32 = 0, wantsLabels: Bool = false,
    handlers: [MACHandler]?, address: (conf: UInt64, ops: UInt64)? = nil
  ) throws(MACError) {
    self.table = table
    claimedConf = address?.conf
    claimedOps = address?.ops
    var bySlot: [Int: MACHandler] = [:]
    for handler in handlers ?? [] {
      guard let slot = table.slot(of: handler.operation), !table.slots[slot].isReserved else {
        throw MACError(
          .unknownOperation,
          "\(handler.operation) is no operation of \(table.releases.first?.systems[0] ?? table.name)"
        )
      }
      guard bySlot.updateValue(handler, forKey: slot) == nil else {
        throw MACError(.unknownOperation, "\(handler.operation) is there twice")
      }
    }
    claimedFunctions = bySlot.compactMapValues(\.address)
    conf = .allocate(capacity: 1)
    ops = .allocate(capacity: Self.slots)
    ops.initialize(repeating: nil, count: Self.slots)
    labelSlot = .allocate(capacity: 1)
    labelSlot.initialize(to: -1)
    var thunks: [MACThunk] = []
    for (slot, handler) in bySlot {
      let thunk = MACAnswer(table.slots[slot], handler.body)
      ops[slot] = thunk.function
      thunks.append(thunk)
    }
    self.thunks = thunks
    let texts = [name, fullName].map { $0.map { strdup($0) } }
    self.texts = texts.compactMap { $0.flatMap { $0 } }
    conf.initialize(to: mac_policy_conf())
    conf.pointee.mpc_name = texts[0].flatMap { UnsafePointer($0) }
    conf.pointee.mpc_fullname = texts[1].flatMap { UnsafePointer($0) }
    conf.pointee.mpc_loadtime_flags = flags
    conf.pointee.mpc_ops = handlers == nil ? nil : ops
    conf.pointee.mpc_field_off = wantsLabels ? labelSlot : nil
  }

  deinit {
    conf.deallocate()
    ops.deallocate()
    labelSlot.deallocate()
    for text in texts { free(text) }
  }

  /// The slot that it got in the labels of objects; nil without one.
  public var label: Int? { labelSlot.pointee < 0 ? nil : Int(labelSlot.pointee) }

  /// The bytes of its mac_policy_conf as they are.
  public var confBytes: [UInt8] {
    Array(UnsafeRawBufferPointer(start: conf, count: MemoryLayout<mac_policy_conf>.size))
  }
}

/// A function of a policy of the model.
private final class MACAnswer: MACThunk, @unchecked Sendable {
  private let body: @Sendable ([UInt64]) -> Int32

  init(_ operation: MACOperation, _ body: @escaping @Sendable ([UInt64]) -> Int32) {
    self.body = body
    super.init(operation)
  }

  override func called(_ arguments: MACPrototype.Arguments) -> Int32? {
    let count = prototype.operation.words
    let words = [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      prototype.copy(arguments, to: buffer)
      initialized = count
    }
    return answer(body(words))
  }
}
