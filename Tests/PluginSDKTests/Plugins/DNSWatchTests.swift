// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

@Suite struct DNSWatchTests {
  private func answer(_ deny: [String], _ name: String, isCut: Bool = false) throws
    -> FakeHost.Answer
  {
    let host = FakeHost(config: ["deny": .array(deny.map { .string($0) }), "print": false])
    let plugin = try PluginLibrary(product: "dns-watch").run(in: host)
    defer { plugin.stop() }
    let record = Samples.dns(name)
    if isCut { record.header.pointee.flags = UInt16(KEMON_EV_TRUNCATED) }
    return try #require(host.vote(record).first)
  }

  @Test func `the slides' query gives the slides' lines`() throws {
    let host = FakeHost(config: ["print": true, "dump_base": "0xffffff8049a116c0"])
    let plugin = try PluginLibrary(product: "dns-watch").run(in: host)
    host.observe(Samples.dns())
    #expect(host.takeOutput() == (try Checkout.golden("dialect-2018-dns-watch.txt")))
    #expect(host.vote(Samples.dns()).isEmpty)
    plugin.stop()
  }

  @Test func `printing is off and the dump is on unless the configuration says else`() throws {
    let host = FakeHost(config: ["print": true, "dump": false])
    let plugin = try PluginLibrary(product: "dns-watch").run(in: host)
    host.observe(Samples.dns())
    #expect(host.takeOutput().split(separator: "\n").count == 2)
    plugin.stop()
    let silent = FakeHost(extensions: [KEMON_EXT_CONFIG])
    let other = try PluginLibrary(product: "dns-watch").run(in: silent)
    #expect(silent.handlers.isEmpty)
    other.stop()
  }

  @Test func `without a packet there is no dump and without a base offsets start at zero`() throws {
    let host = FakeHost(config: ["print": true])
    let plugin = try PluginLibrary(product: "dns-watch").run(in: host)
    host.observe(Samples.dns(packet: nil))
    #expect(host.takeOutput().split(separator: "\n").count == 2)
    host.observe(Samples.dns(packet: [0x41]))
    #expect(
      host.takeOutput().contains(
        "|  0x0000000000000000 | 41                                               "
          + "| A                 |\n"))
    plugin.stop()
  }

  @Test func `a domain covers what is below it and nothing that only ends alike`() throws {
    for (domain, name, isDenied) in [
      ("example.com", "example.com", true), ("example.com", "a.example.com", true),
      ("example.com", "a.b.example.com", true), ("example.com", "notexample.com", false),
      ("example.com", "com", false), ("example.com", "example.com.org", false),
      ("Example.COM.", "eXample.com", true), ("example.com", "example.com.", true),
      ("com", "example.com", true), ("example.com", "", false),
    ] {
      let answer = try answer([domain], name)
      #expect((answer.action == .deny) == isDenied, "\(domain) \(name)")
    }
  }

  @Test func `a denial says EACCES and why`() throws {
    let answer = try answer(["ads.example"], "x.ads.example")
    #expect(answer.error == 13)
    #expect(answer.reason == "domain is denied")
  }

  @Test func `names longer than DNS allows are judged by their end`() throws {
    let long = String(repeating: "a.", count: 400) + "example.com"
    #expect(try answer(["example.com"], long).action == .deny)
    #expect(try answer(["example.com"], String(repeating: "a", count: 600)).action == .abstain)
    // The 255 bytes at the end begin inside this label: half a label is none.
    let domain = String(repeating: "b", count: 255)
    #expect(try answer([domain], "a" + domain).action == .abstain)
    #expect(try answer([domain], "a." + domain).action == .deny)
  }

  @Test func `a cut query is denied when there is a list`() throws {
    #expect(try answer(["example.com"], "example", isCut: true).action == .deny)
  }

  @Test func `a name with control bytes stays on its line`() throws {
    let host = FakeHost(config: ["print": true, "dump": false])
    let plugin = try PluginLibrary(product: "dns-watch").run(in: host)
    host.observe(Samples.dns("a\nb\u{7F}"))
    #expect(host.takeOutput().hasSuffix("query=a\\x0ab\\x7f.\n"))
    plugin.stop()
  }

  @Test func `a bad configuration is named by its path`() throws {
    for (config, message) in [
      (["deny": "x"], "deny: must be an array"),
      (["deny": ["ok.example", 5]], "deny[1]: must be a string"),
      (["deny": ["a..b"]], "deny[0]: must be a domain name"),
      (["deny": [""]], "deny[0]: must be a domain name"),
      (["deny": ["."]], "deny[0]: must be a domain name"),
      (["print": 1], "print: must be true or false"),
      (["dump_base": 1], "dump_base: must be a string"),
      (["dump_base": "12"], #"dump_base: must be an address like "0xffffff8049a116c0""#),
      (
        ["dump_base": "0x10000000000000000"],
        #"dump_base: must be an address like "0xffffff8049a116c0""#
      ),
      (["denny": []], "configuration: may only have the members print, dump, dump_base, deny"),
    ] as [(ConfigValue, String)] {
      let error = try #require(throws: PluginLibrary.Failure.self) {
        try PluginLibrary(product: "dns-watch").run(in: FakeHost(config: config))
      }
      #expect(error.description == message)
    }
  }

  @Test func `it says which extension is missing`() throws {
    let error = try #require(throws: PluginLibrary.Failure.self) {
      try PluginLibrary(product: "dns-watch")
        .run(in: FakeHost(config: ["print": true], extensions: [KEMON_EXT_CONFIG]))
    }
    #expect(error.description == "the host has no extension kemon.output/1")
  }
}
