// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

@Suite struct MACRuleTests {
  static func answers(_ row: [String: String]) throws -> (answers: [Int32], result: Int32) {
    let list = try #require(row["policy_results_in_order_darwin"])
    let answers = list == "-" ? [] : list.split(whereSeparator: { ", ".contains($0) })
    return (
      try answers.map { try #require(Int32($0)) },
      try #require(Int32(row["result_darwin"] ?? ""))
    )
  }

  @Test(arguments: try facts("mac/aggregation_cases.tsv"))
  func `errors are combined as the kernel does`(row: [String: String]) throws {
    let (answers, result) = try Self.answers(row)
    #expect(MACRule.check.combine(answers) == result)
  }

  @Test func `the oracle has all cases`() throws {
    #expect(try facts("mac/aggregation_cases.tsv").count == 1111)
  }

  @Test func `one policy that grants is enough`() {
    #expect(MACRule.grant.combine([]) == 1)
    #expect(MACRule.grant.combine([13, 1]) == 1)
    #expect(MACRule.grant.combine([13, 0, 1]) == 0)
  }

  @Test func `the first true answer ends the asking`() {
    var asked = 0
    let answers = [Int32(0), 5, 0].lazy.map { answer in
      asked += 1
      return answer
    }
    #expect(MACRule.firstTrue.combine(answers) == 1)
    #expect(asked == 2)
    #expect(MACRule.firstTrue.combine([0, 0]) == 0)
  }

  @Test func `of audit answers the greatest counts`() {
    #expect(MACRule.greatest.combine([1, 3, 2]) == 3)
    #expect(MACRule.greatest.combine([]) == 0)
  }

  @Test func `what is performed has no answer`() {
    #expect(MACRule.perform.combine([1, 2]) == 0)
  }
}
