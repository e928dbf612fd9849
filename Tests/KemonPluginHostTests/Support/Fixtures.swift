// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Compiles the C plugins of `Tests/Fixtures/Plugins`, each variant once.
enum Fixtures {
  struct CompilerError: Error { let text: String }

  private static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appending(path: "Package.swift").path) {
      url.deleteLastPathComponent()
    }
    return url
  }()

  private static let store = Folder()
  private static let built = Mutex<[[String]: String]>([:])

  /// The path of a plugin built from a fixture.
  ///
  /// - Parameter flags: for the compiler, such as `-DMANIFEST="{}"`.
  static func build(_ name: String, _ flags: [String] = []) throws -> String {
    try built.withLock { built in
      let key = [name] + flags
      if let path = built[key] { return path }
      let path = store.path("\(built.count)-\(name).so")
      let source = root.appending(path: "Tests/Fixtures/Plugins/\(name).c").path
      let include = root.appending(path: "plugin-sdk/include").path
      let process = Process()
      let errors = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments =
        ["cc", "-std=gnu11", "-shared", "-fPIC", "-I\(include)", source, "-o", path] + flags
      process.standardError = errors
      try process.run()
      let output = errors.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw CompilerError(text: String(decoding: output, as: UTF8.self))
      }
      chmod(path, 0o755)
      built[key] = path
      return path
    }
  }

  /// A plugin without handlers.
  ///
  /// - Parameter manifest: the text of its manifest; nil for none.
  static func minimal(_ manifest: String?, _ flags: [String] = []) throws -> String {
    let quoted = manifest?.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return try build("minimal", flags + (quoted.map { ["-DMANIFEST=\"\($0)\""] } ?? []))
  }

  /// The bytes of a plugin that is good.
  static func goodBytes() throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: try build("voter"))))
  }
}

/// A folder of its own, removed with its contents when nobody uses it any more.
final class Folder: Sendable {
  let path: String

  init() {
    let url = FileManager.default.temporaryDirectory.appending(path: "kemon-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(
        at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    } catch {
      fatalError("no folder for tests: \(error)")
    }
    path = url.path
    chmod(path, 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Puts a copy of a file into the folder.
  @discardableResult
  func add(_ file: String, as name: String) throws -> String {
    try FileManager.default.copyItem(atPath: file, toPath: path(name))
    return path(name)
  }

  /// Puts bytes into the folder.
  @discardableResult
  func add(_ bytes: [UInt8], as name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    chmod(path(name), 0o755)
    return path(name)
  }
}
