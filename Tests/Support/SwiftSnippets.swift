// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Pieces of Swift that pages of this repository show, and the compiler for them.
public enum SwiftSnippets {
  /// The catalog of KemonPluginKit's documentation.
  public static let catalog = Checkout.root.appending(
    path: "Sources/KemonPluginKit/KemonPluginKit.docc")

  /// The pages of the catalog, sorted.
  public static let catalogPages: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: catalog.path)) ?? [])
    .filter { $0.hasSuffix(".md") }.sorted()

  /// Whether pieces can be linked with what was built beside the tests: sanitizers would have to be linked, too.
  public static let canBeLinked =
    Command.exists("swiftc") && !Sanitizer.isThere

  /// The pieces of a page, in order.
  public static func blocks(of page: URL) throws -> [String] {
    try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
      .compactMap { $0.components(separatedBy: "\n```").first }
  }

  /// Compiles a piece, and does nothing with it; nil without a compiler.
  public static func check(_ text: String) throws -> Command.Result? {
    let folder = try ScratchFolder()
    return try compile(["-typecheck", try folder.write(text, to: "snippet.swift")])
  }

  /// Compiles a piece and links it with modules that were built beside the tests; nil without a compiler.
  ///
  /// - Parameters:
  ///   - text: the piece.
  ///   - output: the file to be made.
  ///   - modules: what it imports, with everything that this needs.
  ///   - more: other arguments of the compiler.
  public static func build(
    _ text: String, to output: String, with modules: [String], _ more: [String]
  ) throws -> Command.Result? {
    let folder = try ScratchFolder()
    let objects = try (modules.map { "\($0).build" } + ["CKemonPlugin.build/src"]).flatMap { name in
      let build = Products.folder.appending(path: name)
      return try FileManager.default.contentsOfDirectory(atPath: build.path)
        .filter { $0.hasSuffix(".o") }.sorted().map { build.appending(path: $0).path }
    }
    let source = try folder.write(text, to: "snippet.swift")
    return try compile(["-module-name", "Snippet", "-o", output] + more + [source] + objects)
  }

  private static func compile(_ arguments: [String]) throws -> Command.Result? {
    let map = Checkout.sdk.appending(path: "include/module.modulemap").path
    return try Command("swiftc")?
      .run(
        [
          "-swift-version", "6", "-warnings-as-errors", "-I",
          Products.folder.appending(path: "Modules").path, "-Xcc", "-fmodule-map-file=\(map)",
        ] + arguments)
  }
}
