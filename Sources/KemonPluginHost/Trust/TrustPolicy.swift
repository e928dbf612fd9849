// SPDX-License-Identifier: Apache-2.0

/// What a plugin must show before its code is loaded.
public struct TrustPolicy: Sendable {
  /// How much is asked for.
  public enum Level: String, Sendable, CaseIterable {
    /// That its folder's `plugins.lock` names it, with the hash of its bytes or with who must have signed them; and what
    /// ``owner`` asks for.
    case lock
    /// That nobody but root and this process' user can change the file, its folder, or any folder on the way there.
    case owner
    /// Nothing.
    case any
  }

  /// How much is asked for; nil for ``Level/lock`` in folders that have a `plugins.lock`, and ``Level/owner`` in others.
  public var level: Level?
  /// Whose signature every plugin must have that no lock speaks about; empty when none is needed.
  public var signers: [MinisignPublicKey]
  /// Whose signature plugins of these names must have instead.
  var signersByName: [String: [MinisignPublicKey]] = [:]

  /// Makes a policy.
  public init(_ level: Level? = nil, signers: [MinisignPublicKey] = []) {
    self.level = level
    self.signers = signers
  }

  /// Whether owners and modes are looked at.
  var checksOwners: Bool { level != .any }
}
