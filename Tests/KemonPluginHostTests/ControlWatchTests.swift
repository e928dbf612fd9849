// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import KemonPluginHost

@Suite struct ControlWatchTests {
  @Test func `a plugin that does not return is named`() {
    let collector = Collector()
    let answer = ControlWatch.during("start", of: "slow", patience: 20_000_000, log: collector) {
      while collector.logged.count < 2 { usleep(1000) }
      return 7
    }
    #expect(answer == 7)
    #expect(collector.logged.first == "warn: host: plugin slow has been in start for 0.0 s")
  }

  @Test func `a plugin that returns in time is not talked about`() {
    let collector = Collector()
    for _ in 0..<100 {
      ControlWatch.during("start", of: "quick", patience: 10_000_000_000, log: collector) {}
    }
    #expect(collector.logged.isEmpty)
  }
}
