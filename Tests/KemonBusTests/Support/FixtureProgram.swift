// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport

/// C files of the fixtures as programs and libraries.
enum FixtureProgram {
  private static let folder = try? ScratchFolder()

  /// Compiles a file with the system's compiler and the SDK's headers; nil when there is none, or it fails.
  static func compile(_ fixture: String, _ flags: [String] = []) -> String? {
    guard let folder, let compiler = Command("cc") else { return nil }
    let result = folder.file(fixture.split(separator: "/").joined(separator: "-"))
    let arguments =
      ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
      + ["-I", Checkout.sdk.appending(path: "include").path] + flags
      + [Checkout.fixture(fixture).path, "-o", result]
    return (try? compiler.run(arguments))?.status == 0 ? result : nil
  }
}
