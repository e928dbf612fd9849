// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonEvents
@testable import KemonRecording

/// The decoder against an independent strict walk over real and hostile captures, frame by frame.
@Suite(.enabled(if: SharedRecordings.isThere, "needs ../shared/recordings"))
struct DNSExpectationTests {
  /// A row of the expectations: what an independent walk found in a UDP frame.
  struct Row: Hashable {
    let file: String
    let frame: Int
    let columns: [String: String]

    subscript(_ name: String) -> String { columns[name] ?? "" }
  }

  /// A UDP frame as our own decoders see it.
  struct Decoded {
    let datagram: (source: Endpoint, destination: Endpoint)
    let isFragment: Bool
    let message: Result<DNSMessage, DNSError>
  }

  static func rows(_ file: String, frame: String) throws -> [Row] {
    let text = try String(contentsOfFile: SharedRecordings.path(file), encoding: .utf8)
    var lines = text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    let names = lines.removeFirst()
    return lines.map { columns in
      let row = Dictionary(zip(names, columns), uniquingKeysWith: { $1 })
      return Row(file: row["file"] ?? "", frame: Int(row[frame] ?? "") ?? 0, columns: row)
    }
  }

  /// All UDP frames of a capture by their number.
  static func decode(_ file: String) throws -> [Int: Decoded] {
    let input = try ImportInput(path: SharedRecordings.path("dns/" + file))
    var reader = try #require(try PcapReader(input))
    var frames: [Int: Decoded] = [:]
    while let frame = try reader.next(input) {
      guard let link = try? LinkFrame(frame.bytes, type: frame.linkType),
        let packet = try? IPPacket(link.packet), packet.transport == 17,
        let datagram = try? UDPDatagram(packet)
      else { continue }
      frames[frame.number] = Decoded(
        datagram: (datagram.source, datagram.destination), isFragment: packet.isFragment,
        message: Result { () throws(DNSError) in try DNSMessage(parsing: datagram.payload) })
    }
    return frames
  }

  /// The class that the walk names for the first rule that we find broken.
  static func name(_ code: DNSError.Code) -> String {
    switch code {
    case .shortHeader: "short_header"
    case .truncated: "trunc"
    case .badLabel: "bad_label"
    case .forwardPointer: "fwd_ptr"
    case .selfPointer: "self_ptr"
    case .loop: "loop"
    case .tooManyPointers: "too_many_pointers"
    case .nameTooLong: "name>255"
    case .truncatedRecord: "trunc_rr"
    case .truncatedData: "trunc_rdata"
    }
  }

  @Test func `every UDP frame is decoded as the strict walk decodes it`() throws {
    let rows = try Self.rows("dns/expected_udp_questions.tsv", frame: "frame")
    #expect(rows.count == 312)
    var captures: [String: [Int: Decoded]] = [:]
    for row in rows {
      let place: Comment = "\(row.file) frame \(row.frame)"
      if captures[row.file] == nil { captures[row.file] = try Self.decode(row.file) }
      let decoded = try #require(captures[row.file]?[row.frame], place)
      #expect(decoded.datagram.source.address.text == row["src"], place)
      #expect(decoded.datagram.destination.address.text == row["dst"], place)
      #expect("\(decoded.datagram.source.port)" == row["sport"], place)
      #expect("\(decoded.datagram.destination.port)" == row["dport"], place)

      // The walk goes on behind a broken rule and may find more: ours must be its first.
      let classes = row["class"].split(separator: ",").map(String.init)
      #expect(classes.contains("ipfrag") == decoded.isFragment, place)
      let rule = classes.first { $0 != "ipfrag" }
      let message: DNSMessage
      do throws(DNSError) {
        message = try decoded.message.get()
      } catch {
        #expect(Self.name(error.code) == rule, place)
        continue
      }
      #expect((message.error.map { Self.name($0.code) } ?? "ok") == rule, place)
      #expect("\(message.id)" == row["id"], place)
      #expect((message.isResponse ? "1" : "0") == row["qr"], place)
      #expect("\(message.questionCount)" == row["qdcount"], place)
      #expect("\(message.answerCount)" == row["ancount"], place)
      #expect(message.questions.first.map { "\($0.type)" } ?? "" == row["qtype"], place)
      #expect(message.questions.first.map { "\($0.questionClass)" } ?? "" == row["qclass"], place)
      #expect((message.questions.first?.name.display ?? "-") == row["qname_escaped"], place)
    }
  }

  @Test func `no frame of port 53 is missing in the comparison`() throws {
    let rows = try Self.rows("dns/expected_udp_questions.tsv", frame: "frame")
    let known = Set(rows.map { "\($0.file) \($0.frame)" })
    var missing: Set<String> = []
    for file in SharedRecordings.files(in: "dns", ".pcap").map({ String($0.dropFirst(4)) }) {
      for (number, frame) in try Self.decode(file)
      where frame.datagram.source.port == 53 || frame.datagram.destination.port == 53 {
        if !known.contains("\(file) \(number)") { missing.insert(file) }
      }
    }
    // Links that the independent walk did not read: tshark's rows, below, have these.
    #expect(
      missing == ["tcpdump__dns-badcookie.pcap", "zeek__dns-svcb.pcap", "zeek__ech.pcap"])
  }

  @Test func `names and types agree with tshark wherever it decodes a frame`() throws {
    var compared: [String: Int] = [:]
    var captures: [String: [Int: Decoded]] = [:]
    for row in try Self.rows("dns/expected_frames_tshark.tsv", frame: "frame.number") {
      // Not UDP, cut names, and what tshark digs out of tunnels.
      guard !row["udp.dstport"].isEmpty, row["_ws.malformed"].isEmpty,
        !row["udp.dstport"].contains("|")
      else { continue }
      if captures[row.file] == nil { captures[row.file] = try Self.decode(row.file) }
      guard let decoded = captures[row.file]?[row.frame],
        let message = try? decoded.message.get(), !message.questions.isEmpty
      else { continue }
      let place: Comment = "\(row.file) frame \(row.frame)"
      // tshark prints bytes that are no text in its own way.
      let names = message.questions.map {
        $0.name.wire.isEmpty ? "<Root>" : String(decoding: $0.name.dotted, as: UTF8.self)
      }
      guard names.allSatisfy({ $0.utf8.allSatisfy { 0x20..<0x7F ~= $0 } }) else { continue }
      #expect(names.joined(separator: "|") == row["dns.qry.name"], place)
      #expect(
        message.questions.map { "\($0.type)" }.joined(separator: "|") == row["dns.qry.type"], place)
      compared[row.file, default: 0] += 1
    }
    #expect(compared.values.reduce(0, +) > 280)
    #expect(compared["tcpdump__dns-badcookie.pcap"] == 4)
    #expect(compared["zeek__dns-svcb.pcap"] == 2 && compared["zeek__ech.pcap"] == 4)
  }
}
