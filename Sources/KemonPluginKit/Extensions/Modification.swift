// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.modify/1`: arguments that a handler changes before the operation.
public struct Modification: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; `set_u64` takes nothing but its arguments.
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_modify>

  /// A vote that changes a field; the manifest must name it among its capabilities.
  ///
  /// - Throws: when the field cannot be changed, is not in the manifest, or cannot hold the value.
  public func vote(_ field: Schema.Field, _ value: Int64) throws(HostRefusal) -> Vote {
    var verdict = kemon_blank_verdict()
    let status = withUnsafePointer(to: field.field) {
      table.pointee.set_u64(host, &verdict, $0, UInt64(bitPattern: value))
    }
    try HostRefusal.check(status, "set")
    return .change(flags: verdict.flags, value: verdict.result)
  }
}
