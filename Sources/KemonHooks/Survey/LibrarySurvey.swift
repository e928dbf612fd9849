// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
internal import Glibc

/// What a hook would do to each exported function of a library.
///
/// A library that this process has loaded is looked at where it is. Any other is mapped for the purpose, and none of its
/// code runs. Nothing is changed in either.
public struct LibrarySurvey: Sendable {
  /// One exported function.
  public struct Export: Sendable, Equatable {
    /// Its name in the symbol table.
    public let name: String
    /// Where it begins, counted from the beginning of the library.
    public let address: UInt
    /// How many bytes the symbol table says it has.
    public let size: Int
    /// How it is made hookable; nil when it is refused.
    public let tier: HookTier?
    /// Why it is refused; nil when it is not.
    public let reason: String?
  }

  /// The file that was surveyed.
  public let path: String
  /// Whether the process had it loaded.
  public let wasLoaded: Bool
  /// Its functions, by address.
  public let exports: [Export]

  /// Surveys a library.
  ///
  /// - Parameter library: the path of a file, or the name of a library that is loaded (`libc.so.6`).
  public init(of library: String) throws(SurveyError) {
    let loaded = LoadedLibrary(library)
    let file = try LibraryFile(path: loaded?.path ?? library)
    path = file.path
    wasLoaded = loaded != nil
    let image = loaded == nil ? try PrivateImage(file) : nil
    let base = loaded?.base ?? image?.base ?? 0
    exports = withExtendedLifetime(image) {
      file.functions.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
        .map { Self.survey($0, base, loaded) }
    }
  }

  private static func survey(
    _ function: LibraryFile.Function, _ base: UInt, _ loaded: LoadedLibrary?
  ) -> Export {
    let refused = { (reason: String) in
      Export(
        name: function.name, address: function.address, size: function.size, tier: nil,
        reason: reason)
    }
    var address = base &+ function.address
    var size = function.size
    if function.isIndirect {
      guard let loaded else {
        return refused(
          "an indirect function: which code it means is decided when the library is loaded")
      }
      guard let chosen = loaded.address(of: function.name) else {
        return refused("an indirect function, and the dynamic linker does not know which")
      }
      // The symbol's size is that of the code which chooses.
      address = chosen
      size = 0
    }
    guard let pointer = UnsafeRawPointer(bitPattern: address) else {
      return refused("it has no address")
    }
    do {
      let extent = size > 0 ? FunctionExtent(start: pointer, size: size) : nil
      let plan = try HookEngine.plan(entry: pointer, HookOptions(extent: extent))
      return Export(
        name: function.name, address: function.address, size: function.size, tier: plan.tier,
        reason: nil)
    } catch {
      return refused(error.message)
    }
  }
}

/// A library that the process has loaded.
private struct LoadedLibrary {
  private let handle: UInt
  let path: String
  let base: UInt

  /// Finds it; nil when it is not loaded.
  init?(_ name: String) {
    // 4: only if it is there already. The handle is not closed: the library stays as long as whoever loaded it wants,
    // and for the survey.
    guard let handle = dlopen(name, RTLD_LAZY | 4) else { return nil }
    var base: UInt = 0
    var path: UnsafePointer<CChar>?
    guard ckemon_library_find(handle, &base, &path) != 0, let path else { return nil }
    self.handle = UInt(bitPattern: handle)
    self.base = base
    self.path = String(cString: path)
  }

  func address(of symbol: String) -> UInt? {
    dlsym(UnsafeMutableRawPointer(bitPattern: handle), symbol).map { UInt(bitPattern: $0) }
  }
}
