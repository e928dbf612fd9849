// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonKernel

/// The row "Aggregation" of the feature table: the kernel's rule, as machine code, against its truth table.
@Suite struct KauthAggregationTests {
  struct Case: Sendable, CustomStringConvertible {
    let own: Int32?
    let listeners: [Int32]
    let errno: Int32

    var description: String { "\(own.map(String.init) ?? "none"), \(listeners) -> \(errno)" }
  }

  static let cases: [Case] = {
    let file = Checkout.fixture("Facts/kauth-aggregation-cases.tsv")
    let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.dropFirst().map { line in
      let columns = line.split(separator: "\t")
      return Case(
        own: Int32(columns[0]),
        listeners: columns[1].split(separator: ",").compactMap { Int32($0) },
        errno: Int32(columns[2]) ?? -1)
    }
  }()

  @Test func `there are 186 cases`() {
    #expect(Self.cases.count == 186)
  }

  @Test(arguments: cases)
  func `Aggregation: a scope and its listeners come to what XNU makes of them`(_ item: Case) throws
  {
    let kauth = KauthScopes()
    let scope = "org.example.scope"
    let asked = Counter()
    if let own = item.own {
      #expect(kauth.register(scope: scope) { _ in asked.answer(own) })
    } else {
      #expect(kauth.register(scope: scope))
    }
    for value in item.listeners {
      #expect(kauth.listen(to: scope) { _ in asked.answer(value) } != nil)
    }
    let credential = kauth.credential(user: 501, groups: [20])
    #expect(kauth.authorize(scope: scope, action: 1, as: credential) == item.errno)
    #expect(asked.count == (item.own == nil ? 0 : 1) + item.listeners.count, "everybody is asked")
  }
}
