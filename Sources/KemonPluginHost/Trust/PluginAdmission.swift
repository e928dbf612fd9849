// SPDX-License-Identifier: Apache-2.0

import KemonText

/// Decides which of a folder's plugins may be loaded, and what they may do.
struct PluginAdmission {
  let policy: TrustPolicy
  /// The folder's lock, when it is to be kept.
  let lock: PluginsLock?
  /// The lock's path, for messages.
  let lockPath: String

  /// Reads the folder's lock, if the policy asks for it.
  init(_ directory: borrowing PluginDirectory, _ policy: TrustPolicy) throws(PluginProblem) {
    self.policy = policy
    lockPath = directory.path(of: PluginsLock.fileName)
    switch policy.level {
    case .owner, .any:
      lock = nil
    case .lock, nil:
      let bytes = try directory.contents(
        of: PluginsLock.fileName, limit: PluginsLock.sizeLimit)
      guard let bytes else {
        guard policy.level == nil else {
          throw PluginProblem(
            .lockMissing, file: lockPath, found: "nothing",
            needed: "a lock (kemon-host plugins lock)")
        }
        lock = nil
        return
      }
      do throws(LockError) {
        lock = try PluginsLock(parsing: bytes)
      } catch {
        throw PluginProblem(
          .lockFormat, file: lockPath, found: error.problems.joined(separator: "; "),
          needed: "what kemon-host plugins lock writes")
      }
    }
  }

  /// A file of a plugin, as it is in memory that nobody can change.
  struct File {
    let path: String
    let image: SealedImage
    /// What the signature beside the file says; nil when there is none.
    let signature: [UInt8]?
  }

  /// Decides about a plugin.
  ///
  /// - Parameters:
  ///   - code: what is hashed and verified here, and runs later.
  ///   - description: the `kemon.json` of a program, which says how it is run; nil for a library.
  /// - Returns: what the plugin is granted, and who has signed it, where that was asked for.
  /// - Throws: why it is not admitted.
  func admit(
    _ code: File, description: File? = nil, _ manifest: PluginManifest
  ) throws(PluginProblem) -> (grant: PluginGrant, signer: MinisignPublicKey?) {
    let name = manifest.name
    guard let lock else {
      let keys = policy.signersByName[name] ?? policy.signers
      if let description { _ = try verify(description, of: name, by: keys) }
      return (.usual, try verify(code, of: name, by: keys))
    }
    guard let entry = lock.plugins[name] else {
      let near = NearNames.of(name, among: lock.plugins.keys)
      throw PluginProblem(
        .lockUnknown, file: code.path, plugin: name, found: "no \"\(name)\" in \(lockPath)",
        needed: near.isEmpty
          ? "an entry (kemon-host plugins lock)" : "perhaps \(near.joined(separator: ", "))")
    }
    let keys = entry.signer.map { [$0] } ?? []
    if let sha256 = entry.sha256 {
      try compare(code, of: name, with: sha256)
    }
    if let description, entry.sha256 != nil || entry.manifest != nil {
      try compare(description, of: name, with: entry.manifest)
    }
    if let description { _ = try verify(description, of: name, by: keys) }
    return (entry.grant, try verify(code, of: name, by: keys))
  }

  /// - Parameter sha256: what the lock says; nil for nothing.
  private func compare(
    _ file: File, of name: String, with sha256: String?
  ) throws(PluginProblem) {
    guard sha256 != file.image.sha256 else { return }
    throw PluginProblem(
      .lockHash, file: file.path, plugin: name, found: "sha256 \(file.image.sha256)",
      needed: sha256.map { "sha256 \($0), as in \(lockPath)" }
        ?? "its hash in \(lockPath) (kemon-host plugins lock)")
  }

  /// - Returns: who has signed the file; nil when nobody must have.
  private func verify(
    _ file: File, of name: String, by keys: [MinisignPublicKey]
  ) throws(PluginProblem) -> MinisignPublicKey? {
    guard !keys.isEmpty else { return nil }
    guard let signature = file.signature else {
      throw PluginProblem(
        .signatureMissing, file: file.path, plugin: name,
        found: "no file of its name and \(MinisignSignature.suffix)",
        needed: "a signature by key \(keys.map(\.name).joined(separator: " or "))")
    }
    do throws(MinisignError) {
      return try MinisignSignature(parsing: signature).verify(file.image.bytes, by: keys)
    } catch {
      let rule: PluginProblem.Rule =
        switch error.code {
        case .signer: .signatureSigner
        case .wrong: .signatureWrong
        case .format, .password, .memory: .signatureFormat
        }
      throw PluginProblem(
        rule, file: file.path, plugin: name, found: error.description,
        needed: "the signature of these bytes by a trusted key")
    }
  }
}
