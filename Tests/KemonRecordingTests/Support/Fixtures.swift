// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport

/// Files of `Tests/Fixtures`.
enum Fixtures {
  static func path(_ name: String) -> String { Checkout.fixture(name).path }

  static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  /// The expected text of a golden file.
  ///
  /// With the environment variable KEMON_UPDATE_GOLDEN the file is written anew, to be looked at before it is kept.
  static func golden(_ name: String, actual: String) throws -> String {
    let file = "Golden/recording-\(name)"
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try actual.write(toFile: path(file), atomically: true, encoding: .utf8)
    }
    return try text(file)
  }
}

/// What is in a file.
func bytes(of path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(filePath: path)))
}
