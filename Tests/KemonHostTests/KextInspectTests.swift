// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct KextInspectTests {
  private let linked = Checkout.fixture("Kexts/linked-x86_64").path

  @Test func `a kext is described for people`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("kext", "inspect", linked)
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map { String($0.drop { $0 == " " }) }
    for line in [
      "kext      com.example.linked 1.0.2", "slice     x86_64", "start     0x478 _driver_start",
      "(01) 55 PUSH RBP", "imports   4, mac_policy_register among them",
      "policy    dylibmon_m (Watches libraries), flags 0x2, conf 0x10e8, ops 0x1140",
      "slot 36: 0x4cc _check_mmap",
    ] {
      #expect(lines.contains(line), "\(line)")
    }
  }

  @Test func `a kext is described for programs`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("kext", "inspect", linked, "--output", "json")
    let object = try members(of: result.output)
    #expect(object["identifier"] as? String == "com.example.linked")
    let slice = try #require((object["slices"] as? [[String: Any]])?.first)
    #expect(slice["architecture"] as? String == "x86_64")
    #expect((slice["start_listing"] as? [String])?.count == 15)
    let policy = try #require((slice["policies"] as? [[String: Any]])?.first)
    #expect(policy["name"] as? String == "dylibmon_m")
  }

  @Test func `what is no kext is refused with its place`() throws {
    let host = try Host(plugins: [])
    let text = try host.scratch.write("hello, world", to: "text")
    let wrong = try host.run("kext", "inspect", text)
    #expect(wrong.status == 65)
    #expect(wrong.errors.contains("offset 0x0: magic number 0x6c6c6568; needed is 0xfeedfacf"))
    let missing = try host.run("kext", "inspect", "/nowhere/at.kext")
    #expect(missing.status == 66)
  }
}
