// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct MACCommandTests {
  private func mac(_ arguments: String...) throws -> Command.Result {
    try Command(built: "kemon-host").run(["mac"] + arguments)
  }

  @Test func `all pairs are printed as the facts have them`() throws {
    let result = try mac("tables", "--all", "--output", "tsv")
    #expect(result.status == 0, "\(result.errors)")
    let oracle = try String(contentsOf: Checkout.fixture("Facts/mac/pairs.tsv"), encoding: .utf8)
    #expect(result.output == oracle)
  }

  @Test func `two releases are compared slot by slot`() throws {
    let result = try mac("tables", "10.12.4", "10.13")
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output.contains(
        "323   wrong operation     mpo_proc_check_cpumon"), "\(result.output)")
    #expect(
      result.errors.contains(
        "a policy built for 10.12.4 on 10.13: 323 ok, 2 prototype mismatch, 2 wrong operation, "
          + "4 new, unset"), "\(result.errors)")
  }

  @Test func `a release has its slots as the facts have them`() throws {
    let result = try mac("tables", "4570.71.2", "-o", "tsv")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 336)
    #expect(lines[0] == "slot_index\top_name\treturn_type\tparameters")
    #expect(lines[137] == "136\tmpo_reserved2\tvoid\tvoid")
  }

  @Test(arguments: ["1", "2", "3", "4", "same-number"])
  func `the four cases of the talk are printed`(example: String) throws {
    let result = try mac("tables", "--case", example, "--output", "json")
    #expect(result.status == 0, "\(result.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    #expect(!rows.isEmpty)
    let changed = rows.filter { $0["built_for"] as? String != $0["running"] as? String }
    let expected = ["1": [320, 321, 323], "2": [], "3": [318, 319, 320, 321, 322]]
    #expect(changed.compactMap { $0["slot"] as? Int } == expected[example] ?? [324])
  }

  @Test func `releases are listed`() throws {
    let result = try mac("tables")
    #expect(result.output.split(separator: "\n").count == 103)
    #expect(result.errors.contains("102 releases, 30 tables"))
  }

  @Test func `a version number is refused, because it names no table`() throws {
    let result = try mac("tables", "v13", "10.13")
    #expect(result.status == 64)
    #expect(
      result.errors.contains(
        "v13 is a version number, not a release: 10.8 to 10.8.5 have it, with 2 different tables"),
      "\(result.errors)")
    #expect(try mac("tables", "10.13.9").errors.contains("did you mean"))
    #expect(try mac("tables", "--case", "5").status == 64)
    #expect(try mac("tables", "10.13", "--all").status == 64)
  }

  @Test(.enabled(if: Command.exists("cc"), "needs a C compiler"))
  func `a policy in C is built with the printed header and started by a session`() throws {
    let host = try Host(plugins: ["event-log"])
    let header = try mac("header", "10.13.6")
    try host.scratch.write(header.output, to: "mac_policy.h")
    let source = Checkout.sdk.appending(path: "examples/mac-policy/policy.c").path
    let library = host.scratch.file("policy.so")
    let built = try #require(Command("cc"))
      .run(["-shared", "-fPIC", "-I", host.scratch.path, "-o", library, source])
    #expect(built.status == 0, "\(built.errors)")
    let session = try host.scratch.write(
      """
      {"name": "policy-in-c", "process": {"pid": 59, "uid": 0, "comm": "kextd"}, "steps": [
        {"load_policy": "\(library)"}, {"list_policies": {}},
        {"ask_policies": {"operation": "mpo_vnode_check_open", "arguments": [0, 0, 0, 2]}}]}
      """, to: "session.json")
    let result = try host.run("--plugins", host.plugins, "--session", session)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("macOS MAC policy[0]=read_only(Nobody writes)"))
    #expect(result.output.contains("module offset: policy.so+0x"))
    #expect(result.errors.contains("EACCES"), "\(result.errors)")
  }

  @Test(arguments: ["2018", "2019"])
  func `MAC block: the slide's transcript comes from the program and its plugins`(
    dialect: String
  ) throws {
    let host = try Host(plugins: ["policy-guard", "event-log"])
    let result = try host.run(
      "--plugins", host.plugins, "--session", "mac-blocking", "--set",
      #"policy-guard.deny=[{"name": "*"}]"#, "--set", "event-log.dialect=\"\(dialect)\"")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == (try Checkout.golden("dialect-\(dialect)-mac-blocking.txt")))
  }

  @Test func `MAC list: the slide's listing comes from the program`() throws {
    let host = try Host(plugins: ["event-log"])
    let result = try host.run("--plugins", host.plugins, "--session", "mac-listing")
    #expect(result.output == (try Checkout.golden("dialect-2018-mac-listing.txt")))
  }
}
