// SPDX-License-Identifier: Apache-2.0

/// What the memory of the kernel says of a policy.
public struct MACPolicyDescription: Sendable, Equatable {
  /// A function of the policy.
  public struct Function: Sendable, Equatable {
    /// The slot that it stands in.
    public let slot: Int
    /// The operation of the running kernel there.
    public let operation: String
    /// Where it is.
    public let address: UInt64
    /// The module that it is in, with the offset: `com.example.driver+0x10`; nil when that is not known.
    public let module: String?
  }

  /// Its place in the kernel's list; nil when it is in none.
  public let index: Int?
  /// The short name; empty when there is none.
  public let name: String
  /// The name for people; empty when there is none.
  public let fullName: String
  /// MPC_LOADTIME_FLAG_* bits.
  public let flags: Int32
  /// Where its mac_policy_conf is.
  public let conf: UInt64
  /// Where its mac_policy_ops is.
  public let ops: UInt64
  /// Its functions, in the order of the table.
  public let functions: [Function]
}
