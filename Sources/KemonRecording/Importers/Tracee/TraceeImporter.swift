// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents

/// Imports the JSON lines of Tracee: name queries.
struct TraceeImporter: TraceImporter {
  static let name = "tracee"
  static let summary = "JSON lines of Tracee: net_packet_dns as DNS queries with their process"
  static let howToMake = """
    tracee --output json:FILE --events net_packet_dns
    """

  private static let lineLimit = 4 << 20

  func run(_ input: ImportInput, _ sink: inout ImportSink) throws(RecordingError) {
    try JSONLines<TraceeEvent>(limit: Self.lineLimit).forEach(input, &sink) {
      event, sink throws(RecordingError) in
      guard event.eventName == "net_packet_dns" else {
        return sink.skip(noKindFor: event.eventName)
      }
      guard let packet = event.packet else { return sink.skip("net_packet_dns without its packet") }
      guard packet.message.QR == 0 else { return sink.skip("DNS response") }
      guard let question = packet.message.questions?.first else {
        return sink.skip("DNS query without a question")
      }
      try tell(question, packet, event, &sink)
      sink.use()
    }
  }

  private func tell(
    _ question: TraceeEvent.Question, _ packet: TraceeEvent.Packet, _ event: TraceeEvent,
    _ sink: inout ImportSink
  ) throws(RecordingError) {
    try sink.emit(
      KEMON_KIND_NET_DNS_QUERY, at: event.timestamp, operation: sink.newOperation()
    ) { builder in
      var subject = builder.header.pointee.subject
      subject.pid = event.hostProcessId ?? event.processId ?? 0
      subject.tid = event.hostThreadId ?? event.threadId ?? 0
      subject.ppid = event.hostParentProcessId ?? event.parentProcessId ?? 0
      subject.uid = event.userId ?? .max
      // Tracee tells when the thread started: that is the process for its first thread only.
      subject.start_ns = subject.pid == subject.tid ? event.threadStartTime ?? 0 : 0
      subject.comm = builder.text(event.processName)
      if let path = event.executable?.path, !path.isEmpty { subject.exe = builder.text(path) }
      builder.header.pointee.subject = subject
      builder.setPayload(
        kemon_dns_query(
          source: builder.text(packet.source), destination: builder.text(packet.destination),
          source_port: packet.sourcePort, destination_port: packet.destinationPort,
          query_type: question.typeNumber, query_class: question.classNumber,
          name: builder.text(question.name), packet: kemon_str()))
    }
  }
}
