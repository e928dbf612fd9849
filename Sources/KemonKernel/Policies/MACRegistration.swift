// SPDX-License-Identifier: Apache-2.0

/// What a registration came to.
public struct MACRegistration: Sendable, Equatable {
  /// 0, or a Darwin errno.
  public let status: Int32
  /// The place in the kernel's list; nil when the policy was not registered.
  public let handle: Int?
}
