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
    /// The other names of the same address: a hook of one is a hook of all.
    public let aliases: [String]
    /// What the function is when it only jumps to another one; the hook is on this one.
    public let target: Target?
  }

  /// Where a function leads that only jumps.
  public struct Target: Sendable, Equatable {
    /// Counted from the beginning of the library.
    public let address: UInt
    /// The exported function that begins there; the first in alphabetical order, nil when none does.
    public let name: String?
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
    let functions = file.functions.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
    let names = Dictionary(grouping: functions, by: \.address).mapValues {
      // A name may stand there once for each of its versions.
      Set($0.map(\.name)).sorted()
    }
    exports = withExtendedLifetime(image) {
      let places = functions.map { Self.place(of: $0, base, loaded) }
      var plans = HookEngine.plans(places.compactMap { try? $0.get() })[...]
      return zip(functions, places).map { function, place in
        var plan: HookPlan?
        var reason: String?
        switch place {
        case .failure(let refusal): reason = refusal.reason
        case .success:
          switch plans.popFirst() {
          case .success(let found): plan = found
          case .failure(let error): reason = error.message
          case nil: break
          }
        }
        let target = plan?.jumpTarget.flatMap { target in
          // Offsets of other libraries mean nothing here.
          file.isCode(target &- base)
            ? Target(address: target &- base, name: names[target &- base]?.first) : nil
        }
        return Export(
          name: function.name, address: function.address, size: function.size, tier: plan?.tier,
          reason: reason,
          aliases: names[function.address, default: []].filter { $0 != function.name },
          target: target)
      }
    }
  }

  /// Why a function cannot even be looked at.
  private struct Refusal: Error { let reason: String }

  /// Where a function's code is.
  private static func place(
    of function: LibraryFile.Function, _ base: UInt, _ loaded: LoadedLibrary?
  ) -> Result<(entry: UInt, options: HookOptions), Refusal> {
    let address = base &+ function.address
    guard function.isIndirect else {
      guard let pointer = UnsafeRawPointer(bitPattern: address) else {
        return .failure(Refusal(reason: "it has no address"))
      }
      let extent = function.size > 0 ? FunctionExtent(start: pointer, size: function.size) : nil
      return .success((address, HookOptions(extent: extent)))
    }
    guard let loaded else {
      return .failure(
        Refusal(
          reason: "an indirect function: which code it means is decided when the library is loaded"
        ))
    }
    guard let chosen = loaded.address(of: function.name) else {
      return .failure(
        Refusal(reason: "an indirect function, and the dynamic linker does not know which"))
    }
    // The symbol's size is that of the code which chooses.
    return .success((chosen, HookOptions()))
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
