// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Imports packet captures: name queries and TCP connections.
struct PcapImporter: TraceImporter {
  static let name = "pcap"
  static let summary = "packet capture, pcap or pcapng: DNS queries, TCP connections"
  static let howToMake = """
    tcpdump -i any -s 0 -w FILE
    Link types: Ethernet, raw IP, Linux cooked, BSD loopback, PPP. A capture does not know
    processes: the pid of its events is 0.
    """

  /// What of a frame becomes an event.
  private enum Content {
    case query(UDPDatagram, DNSMessage.Question)
    case segment(TCPSegment, LinkFrame)
  }

  /// DNS, and DNS among neighbours.
  private static let dnsPorts: Set<UInt16> = [53, 5353]

  private var flows = TCPFlowTable()

  mutating func run(_ input: ImportInput, _ sink: inout ImportSink) throws(RecordingError) {
    var reader: any CaptureReader
    do throws(CaptureError) {
      guard let known = try Self.reader(for: input) else {
        if input.failure == nil { sink.problem(at: "byte 0", Self.unknown(input)) }
        return
      }
      reader = known
    } catch {
      if input.failure == nil { sink.problem(at: "byte \(error.offset)", error.message) }
      return
    }
    while try readFrame(&reader, input, &sink) {}
    try flows.finish(&sink)
  }

  private static func reader(
    for input: ImportInput
  ) throws(CaptureError) -> (any CaptureReader)? {
    if let classic = try PcapReader(input) { return classic }
    return try PcapNGReader(input)
  }

  private static func unknown(_ input: ImportInput) -> String {
    guard let start = input.peek(4) else { return "no capture file: it has fewer than 4 bytes" }
    let digits = start.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return "no capture file: it begins with the bytes \(digits)"
  }

  /// Reads a frame; false at the end.
  private mutating func readFrame(
    _ reader: inout any CaptureReader, _ input: ImportInput, _ sink: inout ImportSink
  ) throws(RecordingError) -> Bool {
    let frame: CapturedFrame
    do throws(CaptureError) {
      guard let next = try reader.next(input) else { return false }
      frame = next
    } catch {
      if error.isOneFrame {
        sink.read()
        sink.skip("broken frame")
      }
      // Of a cut input the reason is told once, by who reads it.
      if input.failure == nil { sink.problem(at: "byte \(error.offset)", error.message) }
      return error.isOneFrame
    }
    sink.read()
    let content: Content
    do throws(FrameSkip) {
      content = try Self.content(of: frame)
    } catch {
      sink.skip(error.reason)
      return true
    }
    switch content {
    case .query(let datagram, let question):
      try Self.tell(question, datagram, at: frame.time, &sink)
      sink.use()
    case .segment(let segment, let link):
      try flows.add(segment, link, at: frame.time, &sink)
    }
    return true
  }

  private static func content(of frame: CapturedFrame) throws(FrameSkip) -> Content {
    let link = try LinkFrame(frame.bytes, type: frame.linkType)
    let packet = try IPPacket(link.packet)
    switch packet.transport {
    case 6: return .segment(try TCPSegment(packet), link)
    case 17: break
    default: throw FrameSkip("neither TCP nor UDP")
    }
    let datagram = try UDPDatagram(packet)
    guard dnsPorts.contains(datagram.destination.port) else {
      throw FrameSkip(
        dnsPorts.contains(datagram.source.port) ? "DNS response" : "UDP, not DNS")
    }
    return .query(datagram, try question(of: datagram.payload))
  }

  private static func question(
    of bytes: UnsafeRawBufferPointer
  ) throws(FrameSkip) -> DNSMessage.Question {
    let message: DNSMessage
    do throws(DNSError) {
      message = try DNSMessage(parsing: bytes)
    } catch {
      throw FrameSkip("malformed DNS: \(error.code.rawValue)")
    }
    guard !message.isResponse else { throw FrameSkip("DNS response") }
    // A query whose first question is whole was asked, whatever is broken behind it.
    guard let question = message.questions.first else {
      throw FrameSkip(
        message.error.map { "malformed DNS: \($0.code.rawValue)" } ?? "DNS query without a question"
      )
    }
    return question
  }

  private static func tell(
    _ question: DNSMessage.Question, _ datagram: UDPDatagram, at time: UInt64,
    _ sink: inout ImportSink
  ) throws(RecordingError) {
    try sink.emit(KEMON_KIND_NET_DNS_QUERY, at: time, operation: sink.newOperation()) { builder in
      if datagram.isCut { builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
      builder.setPayload(
        kemon_dns_query(
          source: builder.text(datagram.source.address.text),
          destination: builder.text(datagram.destination.address.text),
          source_port: datagram.source.port, destination_port: datagram.destination.port,
          query_type: question.type, query_class: question.questionClass,
          name: builder.data(question.name.dotted), packet: builder.text(datagram.payload)))
    }
  }
}
