// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Files of this repository.
public enum Checkout {
  /// The root of the repository.
  public static let root: URL = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of the plugin SDK.
  public static let sdk = root.appending(path: "plugin-sdk")

  /// Where a file of the tests' fixtures lies.
  public static func fixture(_ name: String) -> URL {
    root.appending(path: "Tests/Fixtures/\(name)")
  }

  /// The text of a golden file.
  public static func golden(_ name: String) throws -> String {
    try String(contentsOf: fixture("Golden/\(name)"), encoding: .utf8)
  }
}

/// What was built together with the tests.
public enum Products {
  /// The folder of the test program, in which SwiftPM puts programs and libraries, too.
  public static let folder: URL = {
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
    return URL(filePath: program).deletingLastPathComponent()
  }()

  /// The library of a plugin that this package builds.
  public static func plugin(_ name: String) -> String {
    folder.appending(path: "lib\(name).so").path
  }
}

/// A folder that goes away with its object.
public final class ScratchFolder: Sendable {
  /// The folder.
  public let url: URL

  /// Makes a new, empty folder.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "kemon-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The folder's path.
  public var path: String { url.path }

  /// The path of a file in it.
  public func file(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file in it and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    return file(name)
  }

  /// Writes a file of these bytes in it and returns its path.
  @discardableResult
  public func write(_ bytes: [UInt8], to name: String, mode: Int = 0o644) throws -> String {
    try Data(bytes).write(to: url.appending(path: name))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    return file(name)
  }

  /// Copies a file into it, with these permissions, and returns its path.
  @discardableResult
  public func copy(_ source: String, to name: String, mode: Int = 0o755) throws -> String {
    try FileManager.default.copyItem(atPath: source, toPath: file(name))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    return file(name)
  }
}

/// Captures of real systems, which lie beside the checkout and not in it: `../shared/recordings`, or below the folder
/// that the environment variable KEMON_SHARED names.
public enum SharedRecordings {
  private static let folder: URL = {
    if let given = ProcessInfo.processInfo.environment["KEMON_SHARED"] {
      return URL(filePath: given).appending(path: "recordings")
    }
    return Checkout.root.deletingLastPathComponent().appending(path: "shared/recordings")
  }()

  /// Whether they are there.
  public static let isThere = FileManager.default.fileExists(atPath: folder.path)

  /// The path of one of them.
  public static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// The files of a folder with one of these endings, sorted; none when the recordings are absent.
  public static func files(in name: String, _ endings: String...) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []
    return names.filter { file in endings.contains { file.hasSuffix($0) } }.sorted()
      .map { "\(name)/\($0)" }
  }
}
