// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Synchronization

/// Compiles the C plugins of `Tests/Fixtures/Plugins`, each variant once.
enum Fixtures {
  struct CompilerError: Error { let text: String }

  private static let store = Result { try ScratchFolder() }
  private static let built = Mutex<[[String]: String]>([:])

  /// The path of a plugin built from a fixture.
  ///
  /// - Parameter flags: for the compiler, such as `-DMANIFEST="{}"`.
  static func build(_ name: String, _ flags: [String] = []) throws -> String {
    try built.withLock { built in
      let key = [name] + flags
      if let path = built[key] { return path }
      let path = try store.get().file("\(built.count)-\(name).so")
      let source = Checkout.fixture("Plugins/\(name).c").path
      let include = Checkout.sdk.appending(path: "include").path
      guard let compiler = Command("cc") else { throw CompilerError(text: "there is no cc") }
      let result = try compiler.run(
        ["-std=gnu11", "-shared", "-fPIC", "-I\(include)", source, "-o", path] + flags)
      guard result.status == 0 else { throw CompilerError(text: result.text) }
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
