// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import KemonBus

@Suite struct EagerWaitTests {
  @Test func `what is there needs neither looking nor sleep`() {
    var looks = 0
    EagerWait()
      .wait {
        looks += 1
        return true
      } orSleep: {
        Issue.record("slept")
      }
    #expect(looks == 1)
  }

  @Test func `after a long wait nobody looks, and everybody sleeps until it is there`() {
    let eager = EagerWait()
    var isThere = false
    for round in 0..<3 {
      var looks = 0
      var sleeps = 0
      isThere = false
      eager.wait {
        looks += 1
        return isThere
      } orSleep: {
        sleeps += 1
        usleep(UInt32(EagerWait.limit / 1000) + 100)
        isThere = true
      }
      #expect(sleeps == 1)
      // One look before the wait; the first wait of all looks for a while if there is a second processor.
      #expect(round == 0 || looks == 1)
    }
  }

  @Test func `it ends when what is waited for comes while it looks`() {
    let eager = EagerWait()
    var looks = 0
    eager.wait {
      looks += 1
      return looks == 3
    } orSleep: {
      looks = 3
    }
    #expect(looks == 3)
  }
}
