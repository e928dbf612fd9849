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
    /// What is wrong with files of the folder; they are not in the lock.
    public internal(set) var problems: [PluginProblem] = []
  }

  /// Writes the lock of a folder anew, from what is in it now.
  ///
  /// What the operator wrote about a plugin stays: its mode, tier, priority and capabilities. A new one is granted what it
  /// asks for.
  ///
  /// - Parameters:
  ///   - folder: with the plugins.
  ///   - signers: who must have signed them; then the lock holds keys, not hashes. Empty for hashes.
  ///   - grantsAll: grant known plugins what they ask for, too.
  /// - Throws: that the folder or the old lock cannot be read, or the new one not be written; the old one is there then.
  public static func renew(
    _ folder: String, signers: [MinisignPublicKey] = [], grantsAll: Bool = false
  ) throws(PluginProblem) -> Renewal {
    let directory = try PluginDirectory(folder)
    let old = try PluginAdmission(directory, TrustPolicy()).lock ?? PluginsLock()
    let scan = PluginScanner.scan([folder], trust: TrustPolicy(.owner, signers: signers))
    var renewal = Renewal()
    renewal.problems = scan.problems
    var lock = PluginsLock()
    for candidate in scan.candidates {
      let manifest = candidate.manifest
      let known = old.plugins[manifest.name]
      var entry = Entry(sha256: candidate.image.sha256, signer: nil, grant: known?.grant ?? .usual)
      if !signers.isEmpty, let signer = candidate.signer {
        (entry.sha256, entry.signer) = (nil, signer)
      }
      if grantsAll || entry.grant.capabilities == nil {
        entry.grant.capabilities = manifest.capabilities
      }
      lock.plugins[manifest.name] = entry
      let granted = entry.grant.granted(manifest)
      let isSame = known.map { $0.sha256 == entry.sha256 && $0.signer == entry.signer }
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
    for name in old.plugins.keys where lock.plugins[name] == nil {
      renewal.plugins.append(
        Renewal.Plugin(name: name, change: .removed, granted: [], withheld: []))
    }
    renewal.plugins.sort { $0.name < $1.name }
    try directory.replace(file: fileName, with: Array(lock.text.utf8))
    return renewal
  }
}
