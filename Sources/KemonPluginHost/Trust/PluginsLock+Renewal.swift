// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonText

extension PluginsLock {
  /// What a renewal did.
  public struct Renewal: Sendable {
    /// What became of one plugin.
    public enum Change: String, Sendable {
      /// It was not in the lock.
      case added
      /// Its file is another one.
      case changed
      /// It is as it was.
      case unchanged
      /// It is not in the folder any more.
      case removed
    }

    /// A plugin of the new lock, or of the old one.
    public struct Plugin: Sendable {
      /// Its name.
      public let name: String
      /// What became of it.
      public let change: Change
      /// What it is granted.
      public let granted: [String]
      /// What it asks for and is not granted.
      public let withheld: [String]
    }

    /// The plugins, by name.
    public internal(set) var plugins: [Plugin] = []
    /// What is wrong with files of the folder: new ones are not in the lock, of known ones the old entry is.
    public internal(set) var problems: [PluginProblem] = []
  }

  /// Writes the lock of a folder anew, from what is in it now.
  ///
  /// What the operator wrote about a plugin stays: its mode, tier, priority and capabilities, and its key, by which the file
  /// is verified. A new one is granted what it asks for.
  ///
  /// - Parameters:
  ///   - folder: with the plugins.
  ///   - signers: who must have signed them; then the lock holds keys, and hashes only where it had both. Empty for
  ///     hashes, where it had no keys.
  ///   - grantsAll: grant known plugins what they ask for, too.
  /// - Throws: that the folder or the old lock cannot be read, or the new one not be written; the old one is there then.
  public static func renew(
    _ folder: String, signers: [MinisignPublicKey] = [], grantsAll: Bool = false
  ) throws(PluginProblem) -> Renewal {
    let directory = try PluginDirectory(folder)
    let old = try PluginAdmission(directory, TrustPolicy()).lock ?? PluginsLock()
    var trust = TrustPolicy(.owner, signers: signers)
    if signers.isEmpty {
      trust.signersByName = old.plugins.compactMapValues { entry in entry.signer.map { [$0] } }
    }
    let scan = PluginScanner.scan([folder], trust: trust)
    var renewal = Renewal()
    renewal.problems = scan.problems
    var lock = PluginsLock()
    for candidate in scan.candidates {
      let manifest = candidate.manifest
      let known = old.plugins[manifest.name]
      let hasBoth = known?.sha256 != nil && known?.signer != nil
      var entry = Entry(
        sha256: candidate.signer == nil || hasBoth ? candidate.image.sha256 : nil,
        manifest: nil, signer: candidate.signer, grant: known?.grant ?? .usual)
      if entry.sha256 != nil || known?.manifest != nil {
        entry.manifest = candidate.description?.sha256
      }
      if grantsAll || entry.grant.capabilities == nil {
        entry.grant.capabilities = manifest.capabilities
      }
      lock.plugins[manifest.name] = entry
      let granted = entry.grant.granted(manifest)
      let isSame = known.map {
        ($0.sha256, $0.manifest, $0.signer) == (entry.sha256, entry.manifest, entry.signer)
      }
      let change: Renewal.Change =
        switch isSame {
        case nil: .added
        case true?: .unchanged
        case false?: .changed
        }
      renewal.plugins.append(
        Renewal.Plugin(
          name: manifest.name, change: change, granted: granted.sorted(),
          withheld: manifest.capabilities.filter { !granted.contains($0) }))
    }
    // Whoever cannot be admitted now does not get rid of the entry that keeps it out.
    for name in scan.problems.compactMap(\.plugin) where lock.plugins[name] == nil {
      lock.plugins[name] = old.plugins[name]
    }
    for name in old.plugins.keys where lock.plugins[name] == nil {
      renewal.plugins.append(
        Renewal.Plugin(name: name, change: .removed, granted: [], withheld: []))
    }
    renewal.plugins.sort { $0.name < $1.name }
    try directory.replace(file: fileName, with: Array(lock.text.utf8))
    return renewal
  }
}
