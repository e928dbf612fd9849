// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// How the file layer asks the MAC policies of its kernel.
struct PolicyCheck: Sendable {
  /// Whether the kernel has the operation at all; asked once for each.
  let knows: @Sendable (_ operation: String) -> Bool
  /// What the policies come to, as a Darwin errno; arguments in the order of the operation's prototype.
  let ask: @Sendable (_ operation: Operation, _ arguments: UnsafeBufferPointer<UInt64>) -> Int32

  /// An operation by the number that the kernel's functions use.
  struct Operation: Sendable, Hashable {
    let number: Int

    /// The name, as in `mpo_vnode_check_open`.
    var name: String { Self.names[number] }

    static let names: [String] = (0..<Int(KERNEL_FILE_POLICIES.rawValue)).map { number in
      String(cString: kernel_file_policy_name(kernel_file_policy(rawValue: UInt32(number))))
    }
  }

  /// A kernel without policies.
  static let none = PolicyCheck(knows: { _ in false }, ask: { _, _ in 0 })

  /// The operations that the kernel has, as bits for the kernel's functions.
  var mask: UInt32 {
    Operation.names.indices.reduce(0) { mask, number in
      knows(Operation.names[number]) ? mask | 1 << UInt32(number) : mask
    }
  }
}
