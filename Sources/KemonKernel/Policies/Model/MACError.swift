// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What the model refuses where a kernel would end with a panic, or wait for ever.
public struct MACError: Error, Sendable, CustomStringConvertible {
  /// The rule that stands in the way.
  public enum Code: Sendable {
    /// A policy without a short name.
    case noName
    /// A policy without a name for people.
    case noFullName
    /// A policy without a table of operations.
    case noOperations
    /// A policy with more label names than the kernel takes.
    case tooManyLabels
    /// A registration that has no place for the handle.
    case noHandle
    /// A handle that no policy has.
    case badHandle
    /// The thread is inside a policy that it would wait for.
    case selfWait
    /// The thread is in no kernel.
    case noKernel
    /// An operation that the table does not have.
    case unknownOperation
    /// A library that is no policy.
    case noPolicy
  }

  /// The rule.
  public let code: Code
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// What the kernel image refused; nil for nothing.
  init?(refusal: Int32) {
    switch refusal {
    case KERNEL_MAC_NO_KERNEL: self.init(.noKernel, "the thread is in no kernel")
    case KERNEL_MAC_NO_NAME: self.init(.noName, "panic: the policy's name is not set")
    case KERNEL_MAC_NO_FULL_NAME: self.init(.noFullName, "panic: the policy's full name is not set")
    case KERNEL_MAC_NO_OPS: self.init(.noOperations, "panic: the policy's operations are not set")
    case KERNEL_MAC_TOO_MANY_LABELS:
      self.init(
        .tooManyLabels, "panic: the policy has more than \(KERNEL_MAC_LABEL_NAMES) label names")
    case KERNEL_MAC_NO_HANDLE: self.init(.noHandle, "panic: nowhere to write the handle to")
    case KERNEL_MAC_BAD_HANDLE: self.init(.badHandle, "panic: no policy has this handle")
    case KERNEL_MAC_SELF_WAIT:
      self.init(.selfWait, "deadlock: the thread is inside a policy and would wait for itself")
    default: return nil
    }
  }

  /// The message.
  public var description: String { message }
}
