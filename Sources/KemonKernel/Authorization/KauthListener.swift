// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What a listener, or a scope itself, says to a request.
public struct KauthAnswer: RawRepresentable, Sendable, Hashable {
  /// XNU's number.
  public let rawValue: Int32

  /// Takes XNU's number, or any other: the kernel does not check.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Yes, unless somebody says no.
  public static let allow = KauthAnswer(rawValue: KERNEL_KAUTH_ALLOW)
  /// No.
  public static let deny = KauthAnswer(rawValue: KERNEL_KAUTH_DENY)
  /// Somebody else shall say.
  public static let `defer` = KauthAnswer(rawValue: KERNEL_KAUTH_DEFER)
}

// Unchecked: `pointer` is set once before the object is shared.
/// Somebody who listens to a scope.
///
/// Lives as long as the ``KauthScopes`` do, also when it has been removed.
public final class KauthListener: @unchecked Sendable {
  /// The scope.
  public let scope: String
  var pointer: OpaquePointer?
  private let answer: @Sendable (KauthRequest) -> KauthAnswer

  init(scope: String, _ answer: @escaping @Sendable (KauthRequest) -> KauthAnswer) {
    self.scope = scope
    self.answer = answer
  }

  /// What the kernel calls; the context is the listener.
  static let callback: kernel_kauth_callback = {
    credential, context, action, argument0, argument1, argument2, argument3 in
    guard let credential, let context else { return KERNEL_KAUTH_DEFER }
    return Unmanaged<KauthListener>.fromOpaque(context)._withUnsafeGuaranteedRef { listener in
      let request = KauthRequest(
        scope: listener.scope, action: action, credential: credential,
        arguments: (argument0, argument1, argument2, argument3))
      return listener.answer(request).rawValue
    }
  }
}
