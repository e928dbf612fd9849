// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#endif

/// The extension `kemon.names/1`: who is behind the ids of a vote.
public struct Names: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; the functions are marked [any].
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_names>

  /// The name of a plugin, in place for ever; empty when it is unknown.
  public func plugin(_ id: UInt32) -> RecordText { text(table.pointee.plugin(host, id)) }

  /// The name of a handler, in place for ever; empty when it is unknown.
  public func handler(_ id: UInt32) -> RecordText { text(table.pointee.handler(host, id)) }

  private func text(_ name: UnsafePointer<CChar>?) -> RecordText {
    guard let name else { return RecordText(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return RecordText(UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }
}
