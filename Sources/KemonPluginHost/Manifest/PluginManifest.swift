// SPDX-License-Identifier: Apache-2.0

/// What a plugin says of itself before any of its code runs.
public struct PluginManifest: Equatable, Sendable {
  /// The name: lower case, digits and hyphens, unique in a host.
  public let name: String
  /// The version, MAJOR.MINOR.PATCH.
  public let version: String
  /// The major of the ABI that the plugin is built for.
  public let abi: Int64
  /// What it does, in a sentence; empty when it does not say.
  public let description: String
  /// Its license, an SPDX expression; empty when it does not say.
  public let license: String
  /// Plugins that must be loaded first.
  public let needs: [String]
  /// Plugins that are loaded first if they are there.
  public let after: [String]
  /// Extensions of the host that it cannot do without.
  public let extensions: [String]
  /// Where it can run.
  public internal(set) var isolation = PluginIsolation.any
  /// What it asks for beyond seeing events and voting, such as `net` or `modify:file.create.mode`.
  public internal(set) var capabilities: [String] = []
}

/// Everything that is wrong with a manifest.
struct ManifestError: Error {
  let broken: [BrokenRule]
}
