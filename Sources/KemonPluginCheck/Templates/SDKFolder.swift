// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The plugin SDK that new plugins are built with: headers, templates and kits, in a checkout or an installation.
public struct SDKFolder: Sendable {
  /// Its path, absolute.
  public let path: String

  /// Finds the SDK.
  ///
  /// - Parameter given: where it is; nil to look beside this program: in `../share/kemon/sdk`, where an installation
  ///   has it, and in `plugin-sdk` of each folder above, where a checkout has it.
  /// - Throws: where it was looked for.
  public init(given: String?) throws(SuiteError) {
    if let given {
      guard Self.isSDK(given) else {
        throw SuiteError(given, "is no plugin SDK: no templates/c/plugin.c")
      }
      path = URL(filePath: given).standardizedFileURL.path
      return
    }
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
    var folder = URL(filePath: program).deletingLastPathComponent()
    var looked = [folder.appending(path: "../share/kemon/sdk").standardizedFileURL.path]
    while folder.path != "/" {
      looked.append(folder.appending(path: "plugin-sdk").path)
      folder.deleteLastPathComponent()
    }
    guard let found = looked.first(where: Self.isSDK) else {
      throw SuiteError(
        looked[0],
        "no plugin SDK here, nor in plugin-sdk of a folder above this program; --sdk names it")
    }
    path = found
  }

  private static func isSDK(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/templates/c/plugin.c")
  }

  /// The languages that there are templates for.
  public var languages: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/templates")) ?? []
    return names.sorted()
  }
}
