// SPDX-License-Identifier: Apache-2.0

extension Host {
  /// Kinds by name, kinds of the plugin's own, and events of these; nil when the host has no `kemon.schema/1`.
  public var schema: Schema? { find(KEMON_EXT_SCHEMA).map { Schema(host: table, table: $0) } }

  /// Counters and histograms of the plugin's own; nil when the host has no `kemon.metrics/1`.
  public var metrics: Metrics? { find(KEMON_EXT_METRICS).map { Metrics(host: table, table: $0) } }

  /// Calls at times of the event clock; nil when the host has no `kemon.timer/1`.
  public var timers: Timers? { find(KEMON_EXT_TIMER).map { Timers(host: table, table: $0) } }

  /// Votes that are given later; nil when the host has no `kemon.defer/1`.
  public var deferral: Deferral? { find(KEMON_EXT_DEFER).map { Deferral(host: table, table: $0) } }

  /// Arguments that handlers change; nil when the host has no `kemon.modify/1`.
  public var modification: Modification? {
    find(KEMON_EXT_MODIFY).map { Modification(host: table, table: $0) }
  }

  /// Less of what reaches a handler; nil when the host has no `kemon.mute/1`.
  public var muting: Muting? { find(KEMON_EXT_MUTE).map { Muting(host: self, table: $0) } }

  /// Memory for each process; nil when the host has no `kemon.blob/1`.
  public var memory: ProcessMemory? {
    find(KEMON_EXT_BLOB).map { ProcessMemory(host: self, table: $0) }
  }

  /// What the calling thread does, and how long it may still think; nil when the host has no `kemon.thread/1`.
  public var thread: CallThread? {
    find(KEMON_EXT_THREAD).map { CallThread(host: table, table: $0) }
  }

  /// Functions that plugins offer to each other; nil when the host has no `kemon.typed/1`.
  public var services: Services? { find(KEMON_EXT_TYPED).map { Services(host: self, table: $0) } }

  private func find<Table>(_ id: String) -> UnsafePointer<Table>? {
    table.pointee.ext(table, id)?.assumingMemoryBound(to: Table.self)
  }
}

/// A status that the host gave instead of doing what it was asked for.
public struct HostRefusal: Error, Equatable, CustomStringConvertible {
  /// `KEMON_E_*`.
  public let status: Int32
  /// What was refused.
  public let call: String
  /// Why, if the host said so.
  public let reason: String

  init(_ status: Int32, _ call: String, _ error: kemon_error? = nil) {
    self.status = status
    self.call = call
    reason =
      error.map { error in
        withUnsafeBytes(of: error.text) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
      } ?? ""
  }

  init(_ status: Int32, _ call: String, reason: String) {
    self.status = status
    self.call = call
    self.reason = reason
  }

  /// What was refused and why.
  public var description: String {
    reason.isEmpty ? "\(call): status \(status)" : "\(call): \(reason)"
  }

  /// Throws unless a status is good.
  static func check(
    _ status: Int32, _ call: String, _ error: kemon_error? = nil
  ) throws(HostRefusal) {
    if status != KEMON_OK { throw HostRefusal(status, call, error) }
  }
}
