// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonKernel

/// The row "File ops" of the feature table: eleven types, rightly classified, before and after.
@Suite struct FileOpsTests {
  @Test func `an open is told before and after, with one number`() throws {
    let machine = try FilesMachine()
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(file == 0)
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre open /etc/hosts", "post open /etc/hosts"])
    let inode = try machine.files.status("/etc/hosts", as: machine.bash).number
    for event in seen {
      #expect(event.pid == 501)
      #expect(event.flags == 0, "O_RDONLY")
      #expect(event.inode == inode)
      #expect(event.corr == seen[0].corr && event.corr != 0)
    }
  }
}
