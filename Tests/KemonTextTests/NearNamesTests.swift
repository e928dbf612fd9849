// SPDX-License-Identifier: Apache-2.0

import KemonText
import Testing

@Suite struct NearNamesTests {
  @Test(arguments: [
    ("opne", "open", 1), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("a", "a", 0),
  ])
  func `names are near that few changes make equal`(left: String, right: String, distance: Int) {
    #expect(NearNames.distance(left, right) == distance)
  }

  @Test func `what is clearly nearer stands alone`() {
    let names = ["dns-query", "mac-listing", "mac-blocking", "mixed-day"]
    #expect(NearNames.of("dns-qeury", among: names) == ["dns-query"])
    #expect(NearNames.of("something else", among: names) == [])
  }
}
