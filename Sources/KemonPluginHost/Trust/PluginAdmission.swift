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

  /// Decides about a plugin.
  ///
  /// - Parameters:
  ///   - image: the bytes that are hashed and verified here, and run later.
  ///   - signature: what the signature beside the file says; nil when there is none.
  /// - Returns: what the plugin is granted, and who has signed it, where that was asked for.
  /// - Throws: why it is not admitted.
  func admit(
    _ image: SealedImage, _ manifest: PluginManifest, file: String, signature: [UInt8]?
  ) throws(PluginProblem) -> (grant: PluginGrant, signer: MinisignPublicKey?) {
    func problem(_ rule: PluginProblem.Rule, _ found: String, _ needed: String) -> PluginProblem {
      PluginProblem(rule, file: file, plugin: manifest.name, found: found, needed: needed)
    }
    guard let lock else {
      let keys = policy.signersByName[manifest.name] ?? policy.signers
      let signer = try verify(image, keys, signature, problem)
      return (.usual, signer)
    }
    guard let entry = lock.plugins[manifest.name] else {
      let near = NearNames.of(manifest.name, among: lock.plugins.keys)
      throw problem(
        .lockUnknown, "no \"\(manifest.name)\" in \(lockPath)",
        near.isEmpty
          ? "an entry (kemon-host plugins lock)" : "perhaps \(near.joined(separator: ", "))")
    }
    if let sha256 = entry.sha256, sha256 != image.sha256 {
      throw problem(.lockHash, "sha256 \(image.sha256)", "sha256 \(sha256), as in \(lockPath)")
    }
    let signer = try verify(image, entry.signer.map { [$0] } ?? [], signature, problem)
    return (entry.grant, signer)
  }

  /// - Returns: who has signed the bytes; nil when nobody must have.
  private func verify(
    _ image: SealedImage, _ keys: [MinisignPublicKey], _ signature: [UInt8]?,
    _ problem: (PluginProblem.Rule, String, String) -> PluginProblem
  ) throws(PluginProblem) -> MinisignPublicKey? {
    guard !keys.isEmpty else { return nil }
    guard let signature else {
      throw problem(
        .signatureMissing, "no file of the plugin's name and \(MinisignSignature.suffix)",
        "a signature by key \(keys.map(\.name).joined(separator: " or "))")
    }
    do throws(MinisignError) {
      return try MinisignSignature(parsing: signature).verify(image.bytes, by: keys)
    } catch {
      let rule: PluginProblem.Rule =
        switch error.code {
        case .signer: .signatureSigner
        case .wrong: .signatureWrong
        case .format, .password, .memory: .signatureFormat
        }
      throw problem(rule, error.description, "the signature of these bytes by a trusted key")
    }
  }
}
