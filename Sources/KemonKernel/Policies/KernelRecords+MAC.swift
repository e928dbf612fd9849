// SPDX-License-Identifier: Apache-2.0

internal import KemonBus
internal import KemonEvents
internal import Synchronization

/// One call of a function of a policy, as plugins see it.
struct MACCall {
  let slot: Int
  let policy: String
  let operation: String
  /// The arguments, 64 bits each.
  let words: UnsafeRawBufferPointer
  /// Their names and types, each ended by a NUL.
  let names: [UInt8]
  let types: [UInt8]
  /// The same before and after.
  let corr: UInt64
}

/// Numbers the operations of policies in this process.
private let lastMACOperation = Atomic<UInt64>(0)

extension KernelRecords {
  /// A number that the two sides of one operation share.
  func nextMACOperation() -> UInt64 {
    lastMACOperation.wrappingAdd(1, ordering: .relaxed).newValue
  }

  /// A policy is about to be registered or unregistered, has been, or is listed.
  ///
  /// - Parameters:
  ///   - status: what the kernel returned, a Darwin errno.
  ///   - corr: the number of the operation; 0 for a listing.
  func policy(
    _ kind: Int, _ policy: MACPolicyDescription, opsVersion: UInt32, status: Int32 = 0,
    corr: UInt64 = 0
  ) -> Verdict {
    dispatch(EventKind(kind)) { builder in
      builder.header.pointee.corr = corr
      builder.header.pointee.result = DarwinErrno.linux(status)
      let (name, fullName) = (builder.text(policy.name), builder.text(policy.fullName))
      let addresses = policy.functions.map(\.address.littleEndian)
        .withUnsafeBytes { builder.text($0) }
      let names = builder.list(policy.functions.map(\.operation))
      let modules = builder.list(policy.functions.map { $0.module ?? "" })
      builder.setPayload(
        kemon_mac_policy(
          conf: policy.conf, ops: policy.ops, ops_version: opsVersion,
          loadtime_flags: UInt32(bitPattern: policy.flags), status: status, reserved: 0, name: name,
          full_name: fullName, index: policy.index.map { UInt32($0) } ?? .max,
          handler_count: UInt32(policy.functions.count), handlers: addresses, handler_names: names,
          handler_modules: modules))
    }
  }

  /// A policy is about to be asked.
  func macOperationCalled(_ call: MACCall) -> Verdict {
    operation(KEMON_KIND_MAC_OP_PRE, call, value: 0, error: 0)
  }

  /// A policy has answered, or was not asked.
  func macOperationReturned(_ call: MACCall, value: Int32, error: Int32) -> Verdict {
    operation(KEMON_KIND_MAC_OP, call, value: value, error: error)
  }

  private func operation(_ kind: Int, _ call: MACCall, value: Int32, error: Int32) -> Verdict {
    dispatch(EventKind(kind)) { builder in
      builder.header.pointee.corr = call.corr
      builder.header.pointee.result = error
      let (policy, name) = (builder.text(call.policy), builder.text(call.operation))
      let words = builder.text(call.words)
      let names = call.names.withUnsafeBytes { builder.text($0) }
      let types = call.types.withUnsafeBytes { builder.text($0) }
      builder.setPayload(
        kemon_mac_op(
          op: UInt32(call.slot), argc: UInt32(call.words.count / 8), policy: policy, op_name: name,
          arguments: words, value: Int64(value), argument_names: names, argument_types: types))
    }
  }
}
