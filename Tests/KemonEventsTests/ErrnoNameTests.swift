// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import Testing

@Suite struct ErrnoNameTests {
  @Test func `numbers agree with this system's headers`() {
    #expect(ErrnoName.named("EPERM")?.linux == EPERM)
    #expect(ErrnoName.named("EDEADLK")?.linux == EDEADLK)
    #expect(ErrnoName.named("EAGAIN")?.linux == EAGAIN)
    #expect(ErrnoName.named("ECANCELED")?.linux == ECANCELED)
  }

  @Test func `EDEADLK and EAGAIN are swapped between Darwin and Linux`() {
    #expect(ErrnoName.named("EDEADLK")?.darwin == 11)
    #expect(ErrnoName.named("EAGAIN")?.darwin == 35)
  }

  @Test func `a number without a name is written as a number`() {
    #expect(ErrnoName.describe(linux: 13) == "EACCES")
    #expect(ErrnoName.describe(linux: 9999) == "9999")
  }
}
