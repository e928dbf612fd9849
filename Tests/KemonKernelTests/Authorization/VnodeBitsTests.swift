// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonKernel

/// The row "Vnode bits" of the feature table: names of actions, other ones for directories, unknown bits.
@Suite struct VnodeBitsTests {
  struct Row: Sendable {
    let name: String
    let bits: UInt32
    let isAlias: Bool
  }

  /// The bits of the facts; masks of several bits have no name in a text.
  static let rows: [Row] = {
    let file = Checkout.fixture("Facts/kauth-vnode-bits.tsv")
    let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.dropFirst().compactMap { line in
      let columns = line.split(separator: "\t")
      guard let bits = UInt32(columns[2].dropFirst(2), radix: 16), bits.nonzeroBitCount == 1,
        !columns[0].contains("GENERIC")
      else { return nil }
      return Row(name: String(columns[0]), bits: bits, isAlias: columns[3] != "-")
    }
  }()

  @Test func `Vnode bits: all names are known`() {
    #expect(Self.rows.count == 24)
  }

  @Test(arguments: rows)
  func `a bit has its name, or the one for directories`(_ row: Row) {
    let text = VnodeActions(rawValue: row.bits).text(isDirectory: row.isAlias)
    #expect(text == row.name)
  }

  @Test func `names are joined in the order of their bits`() {
    let actions: VnodeActions = [.appendData, .readData, .delete]
    #expect(
      actions.text(isDirectory: false)
        == "KAUTH_VNODE_READ_DATA|KAUTH_VNODE_DELETE|KAUTH_VNODE_APPEND_DATA")
    #expect(
      actions.text(isDirectory: true)
        == "KAUTH_VNODE_LIST_DIRECTORY|KAUTH_VNODE_DELETE|KAUTH_VNODE_ADD_SUBDIRECTORY")
  }

  @Test func `what has no name is a number`() {
    #expect(VnodeActions(rawValue: 0x0000_4001).text(isDirectory: false) == "0x00004001")
    #expect(
      VnodeActions(rawValue: 0x1000_0002).text(isDirectory: false)
        == "KAUTH_VNODE_READ_DATA|0x10000000")
    #expect(VnodeActions(rawValue: 0).text(isDirectory: false) == "")
  }
}
