// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import Testing

@testable import KemonKernel

@Suite struct NameTableTests {
  private func find(_ name: [UInt8], in table: borrowing NameTable) -> Vnode? {
    name.withUnsafeBytes { table.find($0) }
  }

  @Test(arguments: 1...20)
  func `it does what a dictionary does`(seed: UInt64) throws {
    let files = FileSystem(kauth: KauthScopes())
    var random = SeededRandom(seed: seed)
    var table = NameTable()
    var model: [[UInt8]: Vnode] = [:]
    for _ in 0..<2000 {
      let name = Array("\(Int.random(in: 0..<200, using: &random))".utf8)
      if model[name] == nil, Bool.random(using: &random) || model.isEmpty {
        let vnode = Vnode(
          1, number: files.nextNumber(), device: 1, mode: 0, user: 0, group: 0, mount: files.mount)
        table.insert(name, vnode)
        model[name] = vnode
      } else if Int.random(in: 0..<3, using: &random) == 0 {
        name.withUnsafeBytes { table.remove($0) }
        model[name] = nil
      }
      let (found, count) = (find(name, in: table), table.count)
      #expect(found === model[name])
      #expect(count == model.count)
    }
    for (name, vnode) in model {
      let found = find(name, in: table)
      #expect(found === vnode)
    }
    let names = table.all.map(\.name)
    #expect(Set(names) == Set(model.keys))
    table.removeAll()
    let (isEmpty, found) = (table.isEmpty, find([1], in: table))
    #expect(isEmpty && found == nil)
  }

  @Test func `names of all lengths differ in their hashes`() {
    var hashes: Set<UInt64> = []
    for length in 1...64 {
      for last in [UInt8(1), 2] {
        let name = [UInt8](repeating: 65, count: length - 1) + [last]
        hashes.insert(name.withUnsafeBytes { NameTable.hash($0) })
      }
    }
    #expect(hashes.count == 128)
  }
}
