// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Unchecked: addresses of functions that stay loaded.
/// A kext with a MAC policy, built as a library of this system: its code calls mac_policy_register by itself.
///
/// It has the two functions of a kext, `kext_start` and `kext_stop`, with the prototype `int (void *kmod, void *data)`.
/// The kernel's functions that it calls are those of the model. It is never unloaded.
public final class MACPolicyLibrary: @unchecked Sendable {
  private typealias Entry =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) ->
    Int32

  /// The file.
  public let path: String
  private let startFunction: Entry
  private let stopFunction: Entry?

  /// Loads a library; its constructors run.
  ///
  /// - Throws: the dynamic linker's reason, or that there is no `kext_start`.
  public init(path: String) throws(MACError) {
    self.path = path
    let file = path.contains("/") ? path : "./\(path)"
    guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw MACError(.noPolicy, dlerror().map { String(cString: $0) } ?? "\(path): not loaded")
    }
    guard let start = dlsym(library, "kext_start") else {
      throw MACError(.noPolicy, "\(path): no function kext_start")
    }
    startFunction = unsafeBitCast(start, to: Entry.self)
    stopFunction = dlsym(library, "kext_stop").map { unsafeBitCast($0, to: Entry.self) }
  }

  /// Starts the kext in a kernel, and returns what its start function returns.
  ///
  /// - Throws: when the kernel would not have survived what it did.
  public func start(in framework: MACFramework) throws(MACError) -> Int32 {
    try Self.run(startFunction, in: framework)
  }

  /// Stops the kext, and returns what its stop function returns; 0 without one.
  ///
  /// - Throws: when the kernel would not have survived what it did.
  public func stop(in framework: MACFramework) throws(MACError) -> Int32 {
    guard let stopFunction else { return 0 }
    return try Self.run(stopFunction, in: framework)
  }

  private static func run(_ entry: Entry, in framework: MACFramework) throws(MACError) -> Int32 {
    let (status, refusal) = framework.core.inside { entry(nil, nil) }
    if let refusal { throw refusal }
    return status
  }
}
