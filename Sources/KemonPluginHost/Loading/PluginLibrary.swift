// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Every check that a library's bytes must pass, and what they say.
struct PluginLibrary {
  private(set) var manifest: PluginManifest?
  private(set) var neededLibraries: [String] = []
  private(set) var runPaths: [String] = []
  private(set) var failures: [ELFImage.Failure] = []

  /// Checks bytes from anywhere.
  init(_ bytes: UnsafeRawBufferPointer) {
    do throws(ELFImage.Failure) {
      let image = try ELFImage(bytes)
      attempt { library throws(ELFImage.Failure) in try library.readManifest(image) }
      attempt { library throws(ELFImage.Failure) in try library.readDependencies(image) }
      attempt { library throws(ELFImage.Failure) in try library.checkCode(image) }
    } catch {
      failures.append(error)
    }
  }

  /// One wrong table hides nothing that the others have to say.
  private mutating func attempt(_ check: (inout PluginLibrary) throws(ELFImage.Failure) -> Void) {
    do throws(ELFImage.Failure) {
      try check(&self)
    } catch {
      failures.append(error)
    }
  }

  private mutating func readManifest(_ image: ELFImage) throws(ELFImage.Failure) {
    let text = try image.manifestText()
    do throws(ManifestFailure) {
      manifest = try PluginManifest(parsing: text)
    } catch {
      failures += error.failures
    }
  }

  private mutating func readDependencies(_ image: ELFImage) throws(ELFImage.Failure) {
    neededLibraries = try image.neededLibraries()
    runPaths = try image.runPaths()
    // An empty or relative folder means the current one, which anybody may have chosen.
    for path in runPaths where !Self.isSafe(runPath: path) {
      failures.append(
        ELFImage.Failure(rule: .elfRunPath, found: "\"\(path)\"", needed: "an absolute path"))
    }
  }

  /// Whether a folder is the same for everybody.
  ///
  /// `$ORIGIN` is: the linker sees the sealed copy, beside which nothing lies.
  private static func isSafe(runPath: String) -> Bool {
    ["/", "$ORIGIN", "${ORIGIN}"].contains { runPath.hasPrefix($0) }
  }

  private mutating func checkCode(_ image: ELFImage) throws(ELFImage.Failure) {
    if image.asksForExecutableStack {
      failures.append(
        ELFImage.Failure(
          rule: .elfStack, found: "PT_GNU_STACK missing or executable",
          needed: "-z noexecstack, or a .note.GNU-stack section in assembly"))
    }
    if try image.hasTextRelocations() {
      failures.append(
        ELFImage.Failure(
          rule: .elfTextRelocations, found: "DT_TEXTREL", needed: "code built with -fPIC"))
    }
    // A library without a manifest is no plugin; that is said already.
    let isForeign = failures.contains { $0.rule == .manifestMissing }
    if !isForeign, try !image.exports(KEMON_ENTRY_SYMBOL) {
      failures.append(
        ELFImage.Failure(
          rule: .elfEntry, found: "no function \(KEMON_ENTRY_SYMBOL)",
          needed: "one, marked KEMON_EXPORT"))
    }
  }
}
