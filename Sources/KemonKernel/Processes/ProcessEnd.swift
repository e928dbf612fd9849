// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// How a process ended.
public struct ProcessEnd: Sendable, Equatable {
  /// What it said itself, the low eight bits as its parent sees them; 0 when a signal ended it.
  public let status: Int32
  /// The signal that ended it, 0 for none.
  public let signal: Int32
  /// Why the kernel sent the signal: a namespace of OS_REASON, 0 when it was not the kernel.
  public let reasonNamespace: UInt32
  /// The code in that namespace.
  public let reason: UInt32

  /// The process said so itself.
  static func exited(_ status: Int32) -> ProcessEnd {
    ProcessEnd(status: status & 0xFF, signal: 0, reasonNamespace: 0, reason: 0)
  }

  /// A signal ended it.
  static func killed(
    by signal: Int32, namespace: UInt32 = 0, reason: UInt32 = 0
  ) -> ProcessEnd {
    ProcessEnd(status: 0, signal: signal, reasonNamespace: namespace, reason: reason)
  }

  /// A policy, or a plugin, refused an exec behind the point of no return.
  public static let securityPolicy = ProcessEnd.killed(
    by: KERNEL_SIGKILL, namespace: UInt32(KERNEL_OS_REASON_EXEC),
    reason: UInt32(KERNEL_EXEC_REASON_SECURITY_POLICY))

  /// A page of code was not what had been signed.
  public static let invalidPage = ProcessEnd.killed(
    by: KERNEL_SIGKILL, namespace: UInt32(KERNEL_OS_REASON_CODESIGNING),
    reason: UInt32(KERNEL_CODESIGNING_INVALID_PAGE))

  /// In words, as in `status 1` or `signal 9, reason 9.8`.
  public var text: String {
    guard signal != 0 else { return "status \(status)" }
    guard reasonNamespace != 0 else { return "signal \(signal)" }
    return "signal \(signal), reason \(reasonNamespace).\(reason)"
  }
}
