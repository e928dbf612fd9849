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
  public func run(in host: FakeHost) throws -> RunningPlugin {
    try RunningPlugin(try hello(), host)
  }
}

/// A created and started plugin; ends with ``stop()`` or with this object.
public final class RunningPlugin {
  private let plugin: kemon_plugin
  private let host: FakeHost
  private var instance: UnsafeMutableRawPointer?

  /// Creates and starts a plugin by its table.
  public init(_ table: UnsafePointer<kemon_plugin>, _ host: FakeHost) throws {
    plugin = table.pointee
    self.host = host
    var create = kemon_create()
    create.size = UInt32(MemoryLayout<kemon_create>.size)
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let config = host.config.json
    create.config_json = UnsafePointer(host.text(config))
    create.config_len = UInt32(config.utf8.count)
    instance = plugin.create(host.table, &create, &error)
    guard instance != nil else { throw Self.failure(error) }
    if let start = plugin.start, start(instance, &error) != KEMON_OK {
      end(isRunning: false)
      throw Self.failure(error)
    }
  }

  deinit { end(isRunning: true) }

  /// Stops and destroys the plugin.
  public func stop() { end(isRunning: true) }

  private func end(isRunning: Bool) {
    guard let instance else { return }
    self.instance = nil
    if isRunning { plugin.stop?(instance) }
    plugin.destroy?(instance)
  }

  private static func failure(_ error: kemon_error) -> PluginLibrary.Failure {
    var failure = PluginLibrary.Failure(
      withUnsafeBytes(of: error.text) { textUpToNUL($0) })
    failure.line = error.line
    failure.column = error.column
    return failure
  }
}
