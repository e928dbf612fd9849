// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Every check that a library's bytes must pass, and what they say.
struct PluginLibrary {
  private(set) var manifest: PluginManifest?
  private(set) var neededLibraries: [String] = []
  private(set) var runPaths: [String] = []
  private(set) var broken: [BrokenRule] = []

  /// Checks bytes from anywhere.
  init(_ bytes: UnsafeRawBufferPointer) {
    do throws(BrokenRule) {
      let image = try ELFImage(bytes)
      attempt { library throws(BrokenRule) in try library.readManifest(image) }
      attempt { library throws(BrokenRule) in try library.readDependencies(image) }
      attempt { library throws(BrokenRule) in try library.checkCode(image) }
    } catch {
      broken.append(error)
    }
  }

  /// One wrong table hides nothing that the others have to say.
  private mutating func attempt(_ check: (inout PluginLibrary) throws(BrokenRule) -> Void) {
    do throws(BrokenRule) {
      try check(&self)
    } catch {
      broken.append(error)
    }
  }

  private mutating func readManifest(_ image: ELFImage) throws(BrokenRule) {
    let text = try image.manifestText()
    do throws(ManifestError) {
      manifest = try PluginManifest(parsing: text)
    } catch {
      broken += error.broken
    }
  }

  private mutating func readDependencies(_ image: ELFImage) throws(BrokenRule) {
    neededLibraries = try image.neededLibraries()
    runPaths = try image.runPaths()
    // An empty or relative folder means the current one, which anybody may have chosen.
    for path in runPaths where !Self.isSafe(runPath: path) {
      broken.append(
        BrokenRule(rule: .elfRunPath, found: "\"\(path)\"", needed: "an absolute path"))
    }
  }

  /// Whether a folder is the same for everybody.
  ///
  /// `$ORIGIN` is: the linker sees the sealed copy, beside which nothing lies.
  private static func isSafe(runPath: String) -> Bool {
    ["/", "$ORIGIN", "${ORIGIN}"].contains { runPath.hasPrefix($0) }
  }

  private mutating func checkCode(_ image: ELFImage) throws(BrokenRule) {
    if image.asksForExecutableStack {
      broken.append(
        BrokenRule(
          rule: .elfStack, found: "PT_GNU_STACK missing or executable",
          needed: "-z noexecstack, or a .note.GNU-stack section in assembly"))
    }
    if try image.hasTextRelocations() {
      broken.append(
        BrokenRule(
          rule: .elfTextRelocations, found: "DT_TEXTREL", needed: "code built with -fPIC"))
    }
    // A library without a manifest is no plugin; that is said already.
    let isForeign = broken.contains { $0.rule == .manifestMissing }
    if !isForeign, try !image.exports(KEMON_ENTRY_SYMBOL) {
      broken.append(
        BrokenRule(
          rule: .elfEntry, found: "no function \(KEMON_ENTRY_SYMBOL)",
          needed: "one, marked KEMON_EXPORT"))
    }
  }
}
