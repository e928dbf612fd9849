// SPDX-License-Identifier: Apache-2.0

/// The host as a plugin sees it: log, clock, output, configuration.
///
/// Valid from the plugin's `init` until its end. Everything here may be called by any thread unless it says more.
public struct Host: @unchecked Sendable {
  // The table is immutable and outlives the plugin; its functions are marked [any]: that is why this is Sendable.
  let table: UnsafePointer<kemon_host>
  let context: InstanceContext

  /// Takes a host's table.
  ///
  /// - Parameter table: valid as long as the plugin is.
  public init(_ table: UnsafePointer<kemon_host>) { self.init(table, InstanceContext()) }

  init(_ table: UnsafePointer<kemon_host>, _ context: InstanceContext) {
    self.table = table
    self.context = context
  }

  /// What events are.
  public enum Mode: UInt32, Sendable {
    /// They happen now.
    case run = 1
    /// They come from a recording: the clock is virtual and nothing can be blocked.
    case replay = 2
    /// As in replay, many rounds; output is counted and thrown away.
    case bench = 3
  }

  /// How much a line of the log matters.
  public enum LogLevel: Int32, Sendable {
    /// Something does not work.
    case error = 1
    /// Something is odd.
    case warning = 2
    /// Good to know.
    case info = 3
    /// For the plugin's author.
    case debug = 4
  }

  /// The name of the host program.
  public var name: String { String(cString: table.pointee.name) }

  /// Its version.
  public var version: String { String(cString: table.pointee.version) }

  /// Where events come from; nil when the host is newer than this kit.
  public var mode: Mode? { Mode(rawValue: table.pointee.mode) }

  /// The plugin's number in this run, as votes carry it.
  public var pluginID: UInt32 { table.pointee.plugin_id }

  /// The event clock in nanoseconds since 1970; during replay the time of the current event.
  public var now: UInt64 { table.pointee.now(table) }

  /// Writes a line for the operator; never blocks, a full log drops and counts.
  public func log(_ level: LogLevel, _ text: String) {
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        table.pointee.log(table, level.rawValue, $0.baseAddress, $0.count)
      }
    }
  }

  /// Standard output, which belongs to the host; nil when the host offers none.
  ///
  /// Asked for by its id each time: keep what you got.
  public var output: Output? {
    table.pointee.ext(table, KEMON_EXT_OUTPUT)
      .map { Output(host: table, table: $0.assumingMemoryBound(to: kemon_ext_output.self)) }
  }

  /// The plugin's configuration.
  public var config: Config { Config(host: table) }

  /// What the generation before has saved; nil without one, and when the plugin's `init` has returned.
  ///
  /// A copy is made each time. See ``StateSaving``.
  public var state: SavedState? { context.state }

  /// The names behind the ids of votes; nil when the host offers none.
  public var names: Names? {
    table.pointee.ext(table, KEMON_EXT_NAMES)
      .map { Names(host: table, table: $0.assumingMemoryBound(to: kemon_ext_names.self)) }
  }
}
