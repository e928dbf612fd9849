// SPDX-License-Identifier: Apache-2.0

import KemonKernel
import Testing

@Suite struct KextVersionTests {
  @Test func `versions are ordered by numbers, then by stage`() throws {
    let ordered = [
      "0.9.2", "1", "1.0.1d1", "1.0.1a255", "1.0.1b2", "1.0.1b10", "1.0.1fc1", "1.0.1", "1.2",
      "1.10",
      "9999.99.99",
    ]
    let versions = try ordered.map { try #require(KextVersion(parsing: $0), "\($0)") }
    #expect(versions.shuffled().sorted() == versions)
    #expect(versions.map(\.description) == ordered)
  }

  @Test func `missing numbers are zero, and f is fc`() throws {
    for (left, right) in [("1", "1.0.0"), ("2.3", "2.3.0"), ("1.0f3", "1.0fc3")] {
      let (left, right) = (KextVersion(parsing: left), KextVersion(parsing: right))
      #expect(left == right)
      #expect(left?.hashValue == right?.hashValue)
      #expect(left != nil)
    }
  }

  @Test(arguments: [
    "", ".", "1.", "1..2", "1.2.3.4", "a", "1a", "1a0", "1a256", "1x1", "10000", "1.100", "1.2.100",
    "-1", " 1", "1 ", "1.2b", "00001", "1.2.", "1fcc1", "٣",
  ]) func `what is no version is refused`(_ text: String) {
    #expect(KextVersion(parsing: text) == nil)
  }
}
