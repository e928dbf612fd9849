// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Captures of real systems, which lie beside the checkout and not in it: `../shared/recordings`, or below the folder
/// that the environment variable KEMON_SHARED names.
enum SharedRecordings {
  static let folder: String? = {
    if let given = ProcessInfo.processInfo.environment["KEMON_SHARED"] {
      return existing(URL(fileURLWithPath: given))
    }
    var place = URL(fileURLWithPath: #filePath)
    while place.path != "/" {
      place.deleteLastPathComponent()
      if let found = existing(place.appendingPathComponent("shared")) { return found }
    }
    return nil
  }()

  static var isThere: Bool { folder != nil }

  /// The files of a folder with one of these endings, sorted; none when the recordings are absent.
  static func files(in name: String, _ endings: String...) -> [String] {
    guard let folder,
      let names = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")
    else { return [] }
    return names.filter { file in endings.contains { file.hasSuffix($0) } }.sorted()
      .map { "\(name)/\($0)" }
  }

  static func path(_ name: String) -> String { "\(folder ?? "")/\(name)" }

  private static func existing(_ shared: URL) -> String? {
    let recordings = shared.appendingPathComponent("recordings").path
    return FileManager.default.fileExists(atPath: recordings) ? recordings : nil
  }
}
