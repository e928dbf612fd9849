// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.metrics/1`: numbers of the plugin's own that the host shows at the end of a run.
public struct Metrics: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_metrics>

  /// Makes a counter; in `init` or `start` only.
  ///
  /// - Throws: when the name is taken or not allowed, or there are too many metrics.
  public func counter(
    _ name: String, _ help: String = "", unit: String = ""
  ) throws(HostRefusal) -> Counter {
    var cells: UnsafeMutablePointer<kemon_cell>?
    let status = table.pointee.counter(host, name, help, unit, &cells)
    try HostRefusal.check(status, "counter \(name)")
    return Counter(host: host, table: table, cells: cells)
  }

  /// Makes a histogram; in `init` or `start` only.
  ///
  /// - Throws: as ``counter(_:_:unit:)``.
  public func histogram(
    _ name: String, _ help: String = "", unit: String = ""
  ) throws(HostRefusal) -> Histogram {
    var id: UInt32 = 0
    let status = table.pointee.histogram(host, name, help, unit, &id)
    try HostRefusal.check(status, "histogram \(name)")
    return Histogram(host: host, table: table, id: id)
  }

  /// Something that is counted; any thread, valid as long as the plugin is.
  public struct Counter: @unchecked Sendable {
    let host: UnsafePointer<kemon_host>
    let table: UnsafePointer<kemon_ext_metrics>
    let cells: UnsafeMutablePointer<kemon_cell>?

    /// Adds to it.
    public func add(_ amount: UInt64 = 1) { kemon_count(cells, table.pointee.lane(host), amount) }
  }

  /// Numbers whose distribution is kept; any thread, valid as long as the plugin is.
  public struct Histogram: @unchecked Sendable {
    let host: UnsafePointer<kemon_host>
    let table: UnsafePointer<kemon_ext_metrics>
    let id: UInt32

    /// Adds a number.
    public func record(_ value: UInt64) { table.pointee.record(host, id, value) }
  }
}
