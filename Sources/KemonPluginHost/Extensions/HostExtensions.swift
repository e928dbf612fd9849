// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// The extensions of this host, one row each.
enum HostExtensions {
  private static let all = [
    OutputExtension.row, ConfigExtension.row, NamesExtension.row, SchemaExtension.row,
    MetricsExtension.row, TimerExtension.row, DeferExtension.row, ModifyExtension.row,
    MuteExtension.row, BlobExtension.row, TypedExtension.row, ThreadExtension.row,
  ]

  /// The ids, as manifests name them.
  static let ids = all.map(\.id)

  /// Those that a plugin finds in a process of its own, too.
  static let workerIDs = [KEMON_EXT_OUTPUT, KEMON_EXT_CONFIG, KEMON_EXT_NAMES]

  /// The table of an id, or nil.
  ///
  /// It lives as long as the process.
  static func table(_ id: String) -> UnsafeRawPointer? { all.first { $0.id == id }?.table }
}

// Unchecked: the table is made once, never changed and never freed.
/// An extension: its id, and its table of C functions, which is one for all plugins.
struct HostExtension: @unchecked Sendable {
  let id: String
  let table: UnsafeRawPointer

  init<Table: BitwiseCopyable>(_ id: String, _ table: Table) {
    let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    pointer.initialize(to: table)
    self.id = id
    self.table = UnsafeRawPointer(pointer)
  }
}
