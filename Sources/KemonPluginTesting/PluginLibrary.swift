// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A plugin's library, loaded into the test's process and never unloaded.
public struct PluginLibrary {
  /// Why a library or a plugin could not be used.
  public struct Failure: Error, CustomStringConvertible {
    /// What happened, in the words of the loader, the entry, or the plugin.
    public let description: String
    /// The place in a text input, 0 when there is none.
    public var line: UInt32 = 0, column: UInt32 = 0

    init(_ description: String) { self.description = description }
  }

  private let entry: kemon_entry_fn

  /// Loads a library and finds its entry.
  public init(path: String) throws {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw Failure(String(cString: dlerror()))
    }
    guard let symbol = dlsym(handle, KEMON_ENTRY_SYMBOL) else {
      throw Failure("\(path) has no \(KEMON_ENTRY_SYMBOL)")
    }
    entry = unsafeBitCast(symbol, to: kemon_entry_fn.self)
  }

  /// Calls the entry.
  ///
  /// - Parameters:
  ///   - majors: what the host claims to speak.
  public func hello(majors: ClosedRange<UInt32> = 1...1) throws -> UnsafePointer<kemon_plugin> {
    var hello = kemon_hello()
    hello.size = UInt32(MemoryLayout<kemon_hello>.size)
    hello.abi_min = majors.lowerBound << 16
    hello.abi_max = majors.upperBound << 16 | 0xFFFF
    hello.mode = UInt32(KEMON_MODE_RUN)
    guard let plugin = entry(&hello) else {
      throw Failure(withUnsafeBytes(of: hello.why) { textUpToNUL($0) })
    }
    return plugin
  }

  /// Creates and starts the plugin in a host.
  ///
  /// - Parameters:
  ///   - host: the host that it gets.
  ///   - state: what ``RunningPlugin/save()`` of the generation before gave.
  public func run(in host: FakeHost, state: [UInt8]? = nil) throws -> RunningPlugin {
    try RunningPlugin(try hello(), host, state: state)
  }
}
