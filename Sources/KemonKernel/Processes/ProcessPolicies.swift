// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// How processes and images ask the MAC policies of their kernel.
struct ProcessPolicies: Sendable {
  /// An operation by the number that the kernel's functions use.
  typealias Operation = Int

  /// Which operations the kernel has, as bits for the kernel's functions.
  let mask: UInt32
  /// What the policies come to, by the operation's own rule; arguments in the order of 10.13.6.
  let ask: @Sendable (_ operation: Operation, _ arguments: UnsafeBufferPointer<UInt64>) -> Int32

  /// The names, by number, as in `mpo_proc_check_fork`.
  static let names = (0..<Int(KERNEL_PROCESS_POLICIES.rawValue)).map { number in
    String(cString: kernel_process_policy_name(kernel_process_policy(rawValue: UInt32(number))))
  }

  /// A kernel without policies.
  static let none = ProcessPolicies(mask: 0, ask: { _, _ in 0 })
}

extension ProcessPolicies {
  /// The policies of a kernel.
  init(asking mac: MACFramework) {
    let slots = Self.names.map { mac.slot(named: $0) }
    let signature = Int(KERNEL_PROCESS_POLICY_SIGNATURE.rawValue)
    let order = slots[signature].map { Self.signatureOrder(mac.table.slots[$0.index]) } ?? []
    mask = slots.indices.reduce(0) { mask, number in
      slots[number] == nil ? mask : mask | 1 << UInt32(number)
    }
    ask = { operation, arguments in
      guard operation == signature else { return mac.ask(slots[operation], Array(arguments)) }
      return mac.ask(slots[operation], order.map { $0.map { arguments[$0] } ?? 0 })
    }
  }

  /// What the kernel's function gives for mpo_vnode_check_signature, by the names of 10.13.6 and later.
  private static let signatureArguments = [
    "vp", "label", "cs_blob", "cs_flags", "signer_type", "flags", "fatal_failure_desc",
    "fatal_failure_desc_len", "macho_offset",
  ]

  /// The prototype of mpo_vnode_check_signature changed more often than any other: by name, which argument goes where.
  ///
  /// - Returns: for each parameter of the release a place among the arguments; nil for those that the model has not.
  private static func signatureOrder(_ operation: MACOperation) -> [Int?] {
    operation.parameters.map { parameter in
      // A pointer to a number that the policy writes, whatever it is called.
      let name = parameter.name == "is_platform_binary" ? "signer_type" : parameter.name
      return signatureArguments.firstIndex(of: name)
    }
  }
}
