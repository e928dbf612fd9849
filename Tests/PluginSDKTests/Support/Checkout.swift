// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files of this repository.
enum Checkout {
  /// The root of the repository.
  static let root: URL = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder
  }()

  /// The folder of the plugin SDK.
  static let sdk = root.appending(path: "plugin-sdk")

  /// The text of a golden file.
  static func golden(_ name: String) throws -> String {
    try String(contentsOf: root.appending(path: "Tests/Fixtures/Golden/\(name)"), encoding: .utf8)
  }
}

/// A folder that goes away with its object.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "kemon-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> String { url.appending(path: name).path }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    return file(name)
  }
}
