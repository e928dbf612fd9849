// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonPluginHost

/// What an operator says about the time that handlers may take.
@Suite struct CallBudgetsTests {
  @Test func `the nearest word counts`() throws {
    var budgets = CallBudgets()
    #expect(budgets.nanoseconds(plugin: "p", handler: "h", declared: 0) == 0)
    #expect(budgets.nanoseconds(plugin: "p", handler: "h", declared: 7) == 7)
    for text in ["50ms", "a=2s", "a/slow=300us", "b=none"] { try budgets.add(text) }
    #expect(budgets.nanoseconds(plugin: "p", handler: "h", declared: 0) == 50_000_000)
    #expect(budgets.nanoseconds(plugin: "p", handler: "h", declared: 7) == 7)
    #expect(budgets.nanoseconds(plugin: "a", handler: "h", declared: 7) == 2_000_000_000)
    #expect(budgets.nanoseconds(plugin: "a", handler: "slow", declared: 7) == 300_000)
    #expect(budgets.nanoseconds(plugin: "b", handler: "h", declared: 7) == 0)
  }

  @Test(arguments: [
    "", "50", "ms", "0ms", "-1ms", "50 ms", "1h", "3601s", "99999999999999999999s", "a=", "=5ms",
    "٣ms",
  ])
  func `what is not a time is refused`(text: String) {
    var budgets = CallBudgets()
    #expect(throws: CallBudgets.TextError.self) { try budgets.add(text) }
    #expect(budgets == CallBudgets())
  }
}
