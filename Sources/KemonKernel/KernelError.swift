// SPDX-License-Identifier: Apache-2.0

public import KemonHooks

/// Why the kernel model can not start or go on.
public struct KernelError: Error, Sendable, CustomStringConvertible {
  /// The rule that stands in the way.
  public enum Code: Sendable {
    /// The image has no code for this processor.
    case unsupportedProcessor
    /// A function of the kernel does not look as Kemon expects; nothing was hooked.
    case unknownFunction
    /// A session that needs another release than the model is.
    case wrongRelease
    /// Another model of this process has its hooks in the image.
    case imageInUse
    /// The model has been closed.
    case closed
    /// A hook was refused; see ``KernelError/underlying``.
    case hook
  }

  /// The rule that stands in the way.
  public let code: Code
  /// What was found and what is needed.
  public let message: String
  /// The refusal of the hook engine, where it is the reason.
  public let underlying: HookError?

  init(_ code: Code, _ message: String, _ underlying: HookError? = nil) {
    self.code = code
    self.message = message
    self.underlying = underlying
  }

  init(_ function: String, _ error: HookError) {
    let code: Code =
      switch error.code {
      case .alreadyHooked: .imageInUse
      case .unsupportedProcessor: .unsupportedProcessor
      default: .hook
      }
    self.init(code, "\(function): \(error)", error)
  }

  /// The message.
  public var description: String { message }
}
