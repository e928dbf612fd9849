// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Where the parts of `kemon_mac_op` are that describe an operation and its arguments.
enum OperationFields {
  // Offsets of stored fields of structs of C are always known.
  static let name = MemoryLayout<kemon_mac_op>.offset(of: \.op_name) ?? 0
  static let arguments = MemoryLayout<kemon_mac_op>.offset(of: \.arguments) ?? 0
  static let argumentNames = MemoryLayout<kemon_mac_op>.offset(of: \.argument_names) ?? 0
  static let argumentTypes = MemoryLayout<kemon_mac_op>.offset(of: \.argument_types) ?? 0

  /// Whether events of a kind tell of operations.
  static func describe(_ kind: EventKind) -> Bool {
    kind == EventKind(KEMON_KIND_MAC_OP) || kind == EventKind(KEMON_KIND_MAC_OP_PRE)
  }
}
