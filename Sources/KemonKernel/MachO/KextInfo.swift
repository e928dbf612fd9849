// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// The Info.plist of a kext bundle.
public struct KextInfo: Sendable, Equatable {
  /// CFBundleIdentifier.
  public let identifier: String?
  /// CFBundleVersion.
  public let version: String?
  /// The path of the executable that it names.
  public let executable: String
  /// OSBundleLibraries: identifiers with the lowest version that will do.
  public let libraries: [String: String]
  /// OSBundleRequired: when the kext is needed at boot; nil when it is not.
  public let required: String?

  /// Reads a bundle's.
  ///
  /// - Parameter path: the folder.
  init(bundle path: String) throws(MachOError) {
    // Old kexts are flat.
    let contents = FileBytes.isFolder("\(path)/Contents") ? "\(path)/Contents" : path
    let file = "\(contents)/Info.plist"
    let members = try Self.members(of: file)
    func text(_ name: String) throws(MachOError) -> String? {
      guard let value = members[name] else { return nil }
      guard let text = value as? String else {
        throw MachOError(.malformed, file: file, "\(name) is no text")
      }
      return text
    }
    identifier = try text("CFBundleIdentifier")
    version = try text("CFBundleVersion")
    required = try text("OSBundleRequired")
    guard let name = try text("CFBundleExecutable") else {
      throw MachOError(
        .unsupported, file: file, "CFBundleExecutable is missing: a kext without code")
    }
    guard !name.isEmpty, !name.contains("/"), !name.utf8.contains(0), name != "..", name != "."
    else { throw MachOError(.malformed, file: file, "CFBundleExecutable is no name of a file") }
    executable = contents == path ? "\(path)/\(name)" : "\(contents)/MacOS/\(name)"
    libraries = try Self.libraries(members["OSBundleLibraries"], file)
  }

  private static func members(of file: String) throws(MachOError) -> [String: Any] {
    let bytes = try FileBytes.read(file, atMost: 1 << 20)
    let list: Any
    do {
      list = try PropertyListSerialization.propertyList(from: Data(bytes), format: nil)
    } catch {
      throw MachOError(.malformed, file: file, "not a property list: \(error.localizedDescription)")
    }
    guard let members = list as? [String: Any] else {
      throw MachOError(.malformed, file: file, "not a dictionary")
    }
    return members
  }

  private static func libraries(_ value: Any?, _ file: String) throws(MachOError) -> [String:
    String]
  {
    guard let value else { return [:] }
    guard let libraries = value as? [String: String] else {
      throw MachOError(.malformed, file: file, "OSBundleLibraries is no dictionary of texts")
    }
    return libraries
  }
}
