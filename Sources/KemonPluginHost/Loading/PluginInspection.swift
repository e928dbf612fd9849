// SPDX-License-Identifier: Apache-2.0

/// What can be said of a plugin's file without running any of its code.
public struct PluginInspection: Sendable {
  /// The file.
  public let file: String
  /// Its bytes; nil when it cannot be read.
  public let size: Int?
  /// SHA-256 in hexadecimal; nil when the file cannot be read.
  public let sha256: String?
  /// The manifest; nil when it is missing or wrong.
  public let manifest: PluginManifest?
  /// Libraries that the dynamic linker will load with it.
  public let neededLibraries: [String]
  /// Folders where the dynamic linker will look for them.
  public let runPaths: [String]
  /// Everything that is wrong with the file, and with it among the others; empty when it can be loaded.
  public internal(set) var problems: [PluginProblem]
}
