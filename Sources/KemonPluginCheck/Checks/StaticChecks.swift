// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginHost

/// What a file tells without running any of its code.
enum StaticChecks {
  static let all = [loader, exports, unique, relro]

  static let loader = Check("static.loader", "every rule of the host's loader holds") {
    subject throws(Finding) in
    let problems = PluginScanner.inspect(subject.file).problems
    guard problems.isEmpty else {
      throw .failed(problems.map { "\($0.message) [\($0.rule.id)]" }.joined(separator: "; "))
    }
    return nil
  }

  /// What linkers themselves show.
  private static let ofTheLinker: Set<String> = ["_init", "_fini", "__bss_start", "_edata", "_end"]

  static let exports = Check(
    "static.exports", "nothing is exported but the entry and the manifest", needs: ["static.loader"]
  ) { subject throws(Finding) in
    let own = try symbols(subject).exports.filter { export in
      // Inline functions of the C++ library are weak whatever the flags; they are told from one's own by their names.
      !export.isUnique && !ofTheLinker.contains(export.name) && !isOfTheABI(export.name)
        && !(export.isWeak && export.name.hasPrefix("_Z"))
    }
    guard own.isEmpty else {
      let names = own.prefix(5).map(\.name).joined(separator: ", ")
      throw .failed(
        "exports \(names)\(own.count > 5 ? " and \(own.count - 5) more" : ""); needed is "
          + "-fvisibility=hidden or the version script exports.map")
    }
    return nil
  }

  static let unique = Check(
    "static.unique", "no definition counts in the whole process", needs: ["static.loader"]
  ) { subject throws(Finding) in
    let unique = try symbols(subject).exports.filter(\.isUnique)
    guard unique.isEmpty else {
      throw .failed(
        "\(unique[0].name) is STB_GNU_UNIQUE: a new generation of the plugin would share it with the "
          + "old one; needed is -fno-gnu-unique or the version script exports.map")
    }
    return nil
  }

  static let relro = Check(
    "static.relro", "what the linker fills in becomes read-only", needs: ["static.loader"]
  ) { subject throws(Finding) in
    guard try symbols(subject).isReadOnlyAfterRelocation else {
      throw .failed("no PT_GNU_RELRO; needed is -Wl,-z,relro")
    }
    return nil
  }

  /// The entries of this major and of others, and the manifest.
  private static func isOfTheABI(_ name: String) -> Bool {
    name.hasPrefix("kemon_plugin_v") || name == "kemon_manifest_text"
  }

  private static func symbols(_ subject: Subject) throws(Finding) -> LibrarySymbols {
    do throws(PluginProblem) {
      return try LibrarySymbols(reading: subject.file)
    } catch {
      throw .failed(error.message)
    }
  }
}
