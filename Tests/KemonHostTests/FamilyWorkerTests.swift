// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// A worker that dies, or does not answer, in front of an operation of each family: what was declared happens, and
/// nothing else.
@Suite(
  .serialized, .enabled(if: Command("c++") != nil, "needs a C++ compiler"),
  .enabled(if: !Sanitizer.isThere, "sanitizers end a process in their own way"))
struct FamilyWorkerTests {
  /// A family, and what its denied operations look like in a session.
  struct Family: CustomTestStringConvertible, Sendable {
    let kinds: String
    let session: String
    /// Beginnings of the lines that tell of operations which failed.
    let failures: [String]
    /// What the model says of its state afterwards; nil when the failures say it all.
    var state: String?
    var testDescription: String { kinds }
  }

  static let families = [
    Family(
      kinds: "kext.*", session: "mixed-day",
      failures: ["kextd: load com.example.usb: 0xdc008017"],
      state: "com.example.usb failed (0xdc008017), com.example.vpn failed (0xdc008017)"),
    Family(
      kinds: "mac.*", session: "mac-blocking",
      failures: [
        #"handlers={"mpo_cred_label_update_execve": "0xffffff7fa34f10bb"}: EEXIST"#,
        #"handlers={"mpo_file_check_mmap": "0xffffff7fa34edce5"}: EEXIST"#,
      ]),
    Family(
      kinds: "file.*", session: "mixed-day",
      failures: [
        "finder: open /etc/hosts name=hosts: EPERM",
        // Nothing was renamed: what is behind the new name is not there.
        "finder: rename from=/Users/wang/report.txt to=/Users/wang/report-final.txt: EPERM",
        "finder: link path=/Users/wang/report-final.txt to=/Users/wang/copy.txt: ENOENT",
      ]),
    Family(
      kinds: "process.*", session: "mixed-day",
      // No child was made: it can do nothing, and there is nothing to wait for.
      failures: [
        "bash: fork child=grep pid=740: EPERM", "grep: exit 1: ESRCH", "bash: wait grep: ECHILD",
      ]),
    Family(
      kinds: "dylib.*", session: "mixed-day",
      failures: ["grep: dlopen libpcre.dylib: EPERM, mmap of __TEXT failed"]),
    Family(
      kinds: "net.*", session: "mixed-day",
      failures: [
        "safari: dns_query www.example.com server=192.168.1.1: EPERM",
        "safari: connect socket=page address=93.184.216.34 port=443: EPERM",
        "safari: send socket=page text=GET / HTTP/1.1: ENOTCONN",
      ]),
  ]

  private static let plugin: Result<Host, any Error> = Result {
    let host = try Host(plugins: [])
    let target = host.scratch.file("plugins/misbehave.so")
    let result = try #require(Command("c++"))
      .run([
        "-std=c++17", "-O1", "-fPIC", "-shared", "-Wno-infinite-recursion",
        "-I\(Checkout.sdk.appending(path: "include").path)",
        Checkout.fixture("Plugins/misbehave.cc").path, "-o", target,
      ])
    try #require(result.status == 0, "\(result.errors)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: target)
    return host
  }

  private func run(_ family: Family, _ how: String, budget: Int) throws -> String {
    let host = try Self.plugin.get()
    let result = try host.run(
      "run", "--session", family.session, "--plugins", host.plugins, "--isolate", "all",
      "--set", "misbehave.how=\(how)", "--set", "misbehave.budget=\(budget)", "--set",
      "misbehave.kind=\(family.kinds)")
    #expect(result.status == 0, "\(result.errors)")
    return result.errors
  }

  @Test(arguments: families) func `with a worker that answers nothing is denied`(family: Family)
    throws
  {
    let text = try run(family, "nothing", budget: 0)
    for failure in family.failures { #expect(!text.contains(failure), "\(text)") }
    if let state = family.state { #expect(!text.contains(state), "\(text)") }
  }

  @Test(arguments: families) func `the death of a worker denies, as declared`(family: Family) throws
  {
    let text = try run(family, "crash", budget: 0)
    for failure in family.failures { #expect(text.contains(failure), "\(text)") }
    if let state = family.state { #expect(text.contains(state), "\(text)") }
    #expect(text.contains("was ended by signal 11"), "\(text)")
    #expect(text.contains("in handler \"act\" at \(family.kinds.dropLast())"), "\(text)")
  }

  @Test(arguments: families) func `a worker that does not answer in time denies, as declared`(
    family: Family
  ) throws {
    let text = try run(family, "hang", budget: 20)
    for failure in family.failures { #expect(text.contains(failure), "\(text)") }
    if let state = family.state { #expect(text.contains(state), "\(text)") }
    #expect(text.contains("faults    misbehave/act: "), "\(text)")
    #expect(text.contains(" timeouts, 0 late answers"), "\(text)")
  }
}
