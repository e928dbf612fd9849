// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Begins a plugin: copies a template, in which the plugin is called my-guard, under another name.
public struct NewPlugin {
  private let sdk: SDKFolder
  private let template: URL
  private let name: String

  /// - Parameters:
  ///   - name: lower case, digits and hyphens, beginning with a letter: the plugin's name in its manifest.
  ///   - language: a folder of the SDK's templates.
  /// - Throws: what is wrong with the name, or which languages there are.
  public init(_ name: String, language: String, sdk: SDKFolder) throws(SuiteError) {
    let isGood = name.utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
    }
    guard isGood, let first = name.utf8.first, (0x61...0x7A).contains(first), name.last != "-",
      !name.contains("--"), name.utf8.count <= 64
    else {
      throw SuiteError(
        "\"\(name)\"", "is no name of a plugin; needed are a-z, 0-9 and single hyphens between")
    }
    guard sdk.languages.contains(language) else {
      throw SuiteError(
        "\"\(language)\"",
        "there is no such template; there are \(sdk.languages.joined(separator: ", "))")
    }
    // A package of Swift depends on Kemon's own, which is the folder around the SDK in a checkout.
    guard
      language != "swift" || FileManager.default.fileExists(atPath: sdk.path + "/../Package.swift")
    else {
      throw SuiteError(
        sdk.path, "belongs to no checkout, which a plugin in Swift needs; --sdk CHECKOUT/plugin-sdk"
      )
    }
    self.sdk = sdk
    self.name = name
    template = URL(filePath: sdk.path).appending(path: "templates/\(language)")
  }

  /// Writes the plugin's files into a folder, which is made.
  ///
  /// - Returns: the files, relative to the folder, by their names.
  /// - Throws: that something is there already, or what cannot be written.
  public func write(into folder: String) throws(SuiteError) -> [String] {
    let files = FileManager.default
    let present = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    guard present.isEmpty else { throw SuiteError(folder, "is not empty") }
    var written: [String] = []
    for file in sources() {
      let target = URL(filePath: folder).appending(path: renamed(file))
      do {
        try files.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        let text = try String(contentsOf: template.appending(path: file), encoding: .utf8)
        try adapted(text).write(to: target, atomically: true, encoding: .utf8)
      } catch {
        throw SuiteError(target.path, "cannot be written: \(error.localizedDescription)")
      }
      written.append(renamed(file))
    }
    return written
  }

  /// What a build leaves in a template's folder is no part of it.
  private static let built: Set<String> = [
    ".build", "target", "build", "Package.resolved", "Cargo.lock",
  ]

  /// The template's files, relative to it.
  private func sources() -> [String] {
    let all =
      FileManager.default.enumerator(atPath: template.path)?.compactMap { $0 as? String } ?? []
    return all.sorted().filter { file in
      var isFolder: ObjCBool = false
      let path = template.appending(path: file).path
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        && !isFolder.boolValue && !file.hasSuffix(".so")
        && Self.built.isDisjoint(with: file.split(separator: "/").map(String.init))
    }
  }

  /// The name in the forms that languages have.
  private func renamed(_ text: String) -> String {
    let words = name.split(separator: "-")
    return text.replacing("my-guard", with: name)
      .replacing("my_guard", with: words.joined(separator: "_"))
      .replacing("MyGuard", with: words.map(\.capitalized).joined())
  }

  /// A file's text for the new plugin: its name, the SDK's place, and no licence, which its author chooses.
  private func adapted(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.contains("SPDX-License-Identifier") }
    return renamed(lines.joined(separator: "\n").replacing("../..", with: sdk.path))
  }
}
