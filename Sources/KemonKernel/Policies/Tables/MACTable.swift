// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The dispatch table of MAC policies (`struct mac_policy_ops`) that one or several releases of the kernel have.
///
/// Thirty are known. Tables are chosen by release, never by the number that headers give them: 13 stands for two tables,
/// and before 10.6.4 there was none.
public struct MACTable: Sendable {
  /// The first release that has it, as XNU calls it.
  public let name: String
  /// What stands in each slot.
  public let slots: [MACOperation]
  /// Its place among all tables.
  let index: Int

  /// The releases that have exactly this table, oldest first.
  public var releases: [MACRelease] { MACRelease.all.filter { $0.tableIndex == index } }

  /// How many slots the kernel calls.
  public var used: Int { slots.count { !$0.isReserved } }

  /// Every table, oldest first.
  public static let all: [MACTable] = {
    var count = 0
    let rows = UnsafeBufferPointer(start: kernel_mac_slots(&count), count: count)
    let operations = rows.enumerated().map { MACOperation($1, row: $0) }
    let tables = UnsafeBufferPointer(start: kernel_mac_tables(&count), count: count)
    return tables.enumerated().map { index, table in
      // Rows are sorted by slot, and no table misses one.
      let slots = rows.indices.filter { (rows[$0].first...rows[$0].last).contains(UInt16(index)) }
      return MACTable(
        name: String(cString: table.name), slots: slots.map { operations[$0] }, index: index)
    }
  }()

  /// The table of a release: `10.13.6`, `macOS 10.13.6`, or XNU's `4570.71.2`.
  public static func named(_ release: String) -> MACTable? { MACRelease.named(release)?.table }

  /// Where an operation stands; its name may be without `mpo_`.
  public func slot(of operation: String) -> Int? {
    let name = operation.hasPrefix("mpo_") ? operation : "mpo_\(operation)"
    return slots.firstIndex { $0.name == name }
  }

}

extension MACOperation {
  /// Reads a row of the generated list.
  fileprivate init(_ row: kernel_mac_slot, row index: Int) {
    let name = String(cString: row.operation)
    func type(_ text: some StringProtocol) -> MACType {
      guard let type = MACType(String(text)) else {
        preconditionFailure("\(name): the size of \(text) is not known")
      }
      return type
    }
    let parameters = String(cString: row.parameters).split(separator: ";").map { text in
      let text = text.drop { $0 == " " }
      let space = text.lastIndex(of: " ") ?? text.startIndex
      return Parameter(
        name: String(text[text.index(after: space)...]), type: type(text[..<space]))
    }
    self.init(
      name: name, result: type(String(cString: row.result)), parameters: parameters, row: index)
  }
}
