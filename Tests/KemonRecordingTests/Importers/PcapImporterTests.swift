// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonRecording

private typealias Make = CaptureBuilder

@Suite struct PcapImporterTests {
  static let query = Make.ethernet(0x0800, Make.ipv4(17, Make.udp(Make.query)))
  static let event =
    "net.dns_query pre pid=0 source=10.0.0.1 destination=10.0.0.2 source_port=4444 "
    + "destination_port=53 query_type=28 query_class=1 name=kemon.test packet=28 bytes"

  func times(_ bytes: [UInt8]) throws -> [UInt64] {
    var times: [UInt64] = []
    _ = try #require(TraceFormat.named("pcap")).run(ImportInput(MemorySource(bytes))) {
      times.append($0.event.pointee.time_ns)
    }
    return times
  }

  // MARK: Formats

  @Test(arguments: [true, false], [true, false])
  func `classic captures of either byte order and resolution are read`(
    isLittleEndian: Bool, nanoseconds: Bool
  ) throws {
    let bytes = Make.pcap(
      isLittleEndian: isLittleEndian, nanoseconds: nanoseconds, [Self.query, Self.query])
    let imported = try importing("pcap", bytes)
    #expect(imported.events == [Self.event, Self.event])
    #expect(imported.isBalanced && imported.report.isComplete)
    #expect(
      try times(bytes)
        == (nanoseconds
          ? [1_000_000_000_005, 1_001_000_000_005] : [1_000_000_005_000, 1_001_000_005_000]))
  }

  @Test(arguments: [true, false])
  func `sections of pcapng of either byte order are read`(isLittleEndian: Bool) throws {
    let bytes =
      Make.section(isLittleEndian: isLittleEndian) + Make.interface(isLittleEndian: isLittleEndian)
      + Make.enhanced(Self.query, time: 1_600_000_000_000_001, isLittleEndian: isLittleEndian)
      // A block that is not known is passed over.
      + Make.block(0x0BAD, isLittleEndian: isLittleEndian, [1, 2, 3])
      + Make.enhanced(Self.query, time: 1_600_000_000_000_002, isLittleEndian: isLittleEndian)
    #expect(try importing("pcap", bytes).events == [Self.event, Self.event])
    #expect(try times(bytes) == [1_600_000_000_000_001_000, 1_600_000_000_000_002_000])
  }

  @Test func `the resolution of an interface is its own, and sections start anew`() throws {
    let nanoseconds: [UInt8] = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]
    let halves: [UInt8] = [9, 0, 1, 0, 0x81, 0, 0, 0, 0, 0, 0, 0]
    let raw = Make.ipv4(17, Make.udp(Make.query))
    let bytes =
      Make.section() + Make.interface(options: nanoseconds)
      + Make.interface(link: 101, options: halves)
      + Make.enhanced(Self.query, interface: 0, time: 77)
      + Make.enhanced(raw, interface: 1, time: 3)
      + Make.section(isLittleEndian: false) + Make.interface(link: 101, isLittleEndian: false)
      + Make.enhanced(raw, time: 4, isLittleEndian: false)
    #expect(try importing("pcap", bytes).events == [Self.event, Self.event, Self.event])
    #expect(try times(bytes) == [77, 1_500_000_000, 4000])
  }

  @Test func `simple packet blocks have no time`() throws {
    let bytes =
      Make.section() + Make.interface()
      + Make.block(3, Make.little32(UInt32(Self.query.count)) + Self.query)
    #expect(try importing("pcap", bytes).events == [Self.event])
    #expect(try times(bytes) == [0])
  }

  // MARK: Links and packets

  @Test func `an IP packet is found on every known link`() throws {
    let v4 = Make.ipv4(17, Make.udp(Make.query))
    let v6 = Make.ipv6(17, Make.udp(Make.query))
    let cooked: [UInt8] = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0]
    let cooked2: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0]
    let links: [(UInt32, [UInt8])] = [
      (0, [2, 0, 0, 0] + v4), (0, [0, 0, 0, 2] + v4), (0, [30, 0, 0, 0] + v6),
      (108, [0, 0, 0, 24] + v6),
      (1, Make.ethernet(0x86DD, v6)), (1, Make.ethernet(0x0800, tags: [0x8100], v4)),
      (1, Make.ethernet(0x0800, tags: [0x88A8, 0x8100], v4)),
      (1, Make.ethernet(0x8864, [0x11, 0, 0, 1, 0, 0, 0, 0x21] + v4)),
      (9, [0xFF, 3, 0, 0x21] + v4), (9, [0x21] + v4), (50, [0, 0x57] + v6),
      (50, [0x0F, 0, 8, 0] + v4),
      (12, v4), (101, v6), (228, v4), (229, v6), (113, cooked + v4), (276, cooked2 + v4),
    ]
    for (link, frame) in links {
      let imported = try importing("pcap", Make.pcap(link: link, [frame]))
      #expect(imported.events.count == 1, "link type \(link): \(imported.report.skipped)")
      #expect(imported.events.first?.contains("name=kemon.test") == true)
    }
  }

  @Test func `extension headers of IPv6 are passed over`() throws {
    let options: [UInt8] = [60, 0, 0, 0, 0, 0, 0, 0]
    let destination: [UInt8] = [44, 1] + [UInt8](repeating: 0, count: 14)
    let fragment: [UInt8] = [17, 0, 0, 1, 0, 0, 0, 1]
    let frame = Make.ipv6(0, options + destination + fragment + Make.udp(Make.query))
    #expect(try importing("pcap", Make.pcap(link: 101, [frame])).events.count == 1)
  }

  @Test func `each frame that is not used has a reason`() throws {
    let udp = Make.udp(Make.query)
    var response = Make.query
    response[2] = 0x81
    var noQuestion = Make.query
    noQuestion[5] = 0
    let frames: [([UInt8], String)] = [
      (Make.ethernet(0x0806, [0, 1]), "not IP"),
      ([1, 2, 3], "truncated frame"),
      (Make.ethernet(0x0800, [0x45, 0]), "truncated frame"),
      (Make.ethernet(0x0800, Array(Make.ipv4(17, udp).prefix(24))), "truncated frame"),
      (Make.ethernet(0x0800, []), "truncated frame"),
      (Make.ethernet(0x0800, [0x42] + Make.ipv4(17, udp).dropFirst()), "malformed IPv4"),
      (Make.ethernet(0x0800, Make.ipv4(17, fragment: 0x10, udp)), "IP fragment after the first"),
      (
        Make.ethernet(0x86DD, Make.ipv6(44, [17, 0, 0, 8, 0, 0, 0, 0] + udp)),
        "IP fragment after the first"
      ),
      (Make.ethernet(0x86DD, Make.ipv6(0, [17, 255, 0, 0, 0, 0, 0, 0])), "malformed IPv6"),
      (Make.ethernet(0x0800, Make.ipv4(1, [8, 0])), "neither TCP nor UDP"),
      (Make.ethernet(0x0800, Make.ipv4(17, [0, 1, 0, 53, 0, 7, 0, 0])), "malformed UDP"),
      (Make.ethernet(0x0800, Make.ipv4(17, Make.udp(to: 123, [1]))), "UDP, not DNS"),
      (Make.ethernet(0x0800, Make.ipv4(17, Make.udp(from: 53, to: 999, response))), "DNS response"),
      (Make.ethernet(0x0800, Make.ipv4(17, Make.udp(response))), "DNS response"),
      (
        Make.ethernet(0x0800, Make.ipv4(17, Make.udp([1, 2, 3]))), "malformed DNS: header cut short"
      ),
      (
        Make.ethernet(0x0800, Make.ipv4(17, Make.udp(Make.query.dropLast()))),
        "malformed DNS: name cut short"
      ),
      (Make.ethernet(0x0800, Make.ipv4(17, Make.udp(noQuestion))), "DNS query without a question"),
      (Make.ethernet(0x0800, Make.ipv4(6, [0, 1, 0, 2])), "truncated frame"),
      (Make.ethernet(0x0800, Make.ipv4(6, [UInt8](repeating: 0, count: 20))), "malformed TCP"),
    ]
    for (frame, reason) in frames {
      let imported = try importing("pcap", Make.pcap([frame]))
      #expect(imported.report.skipped == [reason: 1])
      #expect(imported.isBalanced && imported.report.isComplete)
    }
    #expect(
      try importing("pcap", Make.pcap(link: 147, [[1]])).report.skipped == ["link type 147": 1])
  }

  @Test func `a query of which the end was not captured is marked as cut`() throws {
    let whole = Make.ethernet(0x0800, Make.ipv4(17, Make.udp(Make.query + [1, 2, 3])))
    let first = Make.ethernet(0x0800, Make.ipv4(17, fragment: 0x2000, Make.udp(Make.query)))
    var flags: [Bool] = []
    _ = try #require(TraceFormat.named("pcap")).run(
      ImportInput(MemorySource(Make.pcap([whole, Array(whole.dropLast(2)), first])))
    ) { flags.append($0.isTruncated) }
    #expect(flags == [false, true, true])
  }

  // MARK: Hostile files

  @Test func `bytes that are no capture are named`() throws {
    for (bytes, message) in [
      ([], "no capture file: it has fewer than 4 bytes"),
      ([1, 2], "no capture file: it has fewer than 4 bytes"),
      (Array("hello".utf8), "no capture file: it begins with the bytes 68656c6c"),
    ] as [([UInt8], String)] {
      let imported = try importing("pcap", bytes)
      #expect(imported.report.problems.map(\.message) == [message])
      #expect(!imported.report.isComplete && imported.isBalanced)
    }
  }

  @Test func `a frame that claims 4 GiB ends the import with its place, not with memory`() throws {
    var bytes = Make.pcap([Self.query])
    let offset = bytes.count
    bytes +=
      Make.little32(1) + Make.little32(1) + Make.little32(0xFFFF_FFFF) + Make.little32(0xFFFF_FFFF)
    let imported = try importing("pcap", bytes + Self.query)
    #expect(imported.events == [Self.event])
    #expect(imported.report.problems.map(\.place) == ["byte \(offset)"])
    #expect(imported.report.problems.first?.message.contains("claims 4294967295 bytes") == true)
  }

  @Test func `of a capture that is cut anywhere the whole frames are kept`() throws {
    let whole = Make.pcap([Self.query, Self.query])
    let frame = 16 + Self.query.count
    for count in 4..<whole.count {
      let imported = try importing("pcap", Array(whole.prefix(count)))
      let frames = max(0, count - 24) / frame
      #expect(imported.events.count == frames)
      #expect(imported.report.isComplete == (count >= 24 && (count - 24) % frame == 0))
      #expect(imported.isBalanced)
    }
  }

  @Test func `a broken frame of pcapng is skipped, a broken block ends the import`() throws {
    let start = Make.section() + Make.interface()
    let good = Make.enhanced(Self.query)
    let unknown = Make.enhanced(Self.query, interface: 7)
    let tooLong = Make.enhanced(Self.query, claimed: 0x8000_0000)
    let skipped = try importing("pcap", start + unknown + tooLong + good)
    #expect(skipped.events == [Self.event] && skipped.isBalanced)
    #expect(skipped.report.skipped == ["broken frame": 2] && skipped.report.problemCount == 2)

    for length: UInt32 in [0, 4, 13, 0xFFFF_FFFC] {
      let bad = Make.little32(6) + Make.little32(length) + Make.little32(0)
      let ended = try importing("pcap", start + good + bad + good)
      #expect(ended.events == [Self.event] && ended.report.problemCount == 1)
    }
    var trailer = good
    trailer[trailer.count - 4] ^= 4
    #expect(try importing("pcap", start + trailer + good).report.problemCount == 1)
    #expect(
      try importing("pcap", Make.little32(0x0A0D_0D0A) + [28, 0, 0, 0, 1, 2, 3, 4]).report
        .problemCount == 1)
  }
}
