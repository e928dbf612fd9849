// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Plugins in Swift, built beside the tests.
enum SwiftPlugin {
  static let canBeBuilt = SwiftSnippets.canBeLinked && Command.exists("cc")

  /// Builds a plugin as a package would: its manifest in C, the kit linked into it.
  ///
  /// - Parameters:
  ///   - type: the class; its name in lower case is the plugin's.
  ///   - text: the source, with or without an entry.
  ///   - members: more of the manifest, as in `"\"after\": [\"other\"]"`.
  static func build(
    _ type: String, _ text: String, manifest members: String = "", in folder: ScratchFolder
  ) throws {
    let name = type.lowercased()
    let json =
      #"{"name": "\#(name)", "version": "1.0.0", "abi": 1\#(members.isEmpty ? "" : ", ")\#(members)}"#
    let quoted = json.replacing("\"", with: "\\\"")
    let manifest = try folder.write(
      "#include <kemon/kemon.h>\nKEMON_MANIFEST(\"\(quoted)\");\n", to: "\(name).c")
    let object = folder.file("\(name).o")
    let compiled = try #require(Command("cc"))
      .run([
        "-c", "-fPIC", "-I", Checkout.sdk.appending(path: "include").path, manifest, "-o", object,
      ])
    #expect(compiled.status == 0, "\(compiled.text)")
    let entry = """

      @c(kemon_plugin_v1)
      public func kemon_plugin_v1(
        _ hello: UnsafeMutablePointer<kemon_hello>?
      ) -> UnsafePointer<kemon_plugin>? { exportPlugin(\(type).self, hello) }
      """
    let exports = Checkout.sdk.appending(path: "cmake/exports.map").path
    let library = folder.file("\(name).so")
    let built = try #require(
      try SwiftSnippets.build(
        text.contains("@c(kemon_plugin_v1)") ? text : text + entry, to: library,
        with: ["KemonPluginKit", "KemonEvents"],
        ["-emit-library", object, "-Xlinker", "--version-script=\(exports)"]))
    #expect(built.status == 0, "\(built.text)")
    chmod(library, 0o755)
  }
}
