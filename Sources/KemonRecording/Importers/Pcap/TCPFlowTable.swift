// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// All TCP connections of a capture: tells when one is opened and when one ends.
struct TCPFlowTable {
  /// Connections that are kept at a time; when there are more, the half that was silent longest is let go.
  private let limit: Int
  private var flows: [TCPFlow.Key: TCPFlow] = [:]
  private var now: UInt64 = 0

  init(limit: Int = 16_384) { self.limit = limit }

  mutating func add(
    _ segment: TCPSegment, _ link: LinkFrame, at time: UInt64, _ sink: inout ImportSink
  ) throws(RecordingError) {
    now = max(now, time)
    let key = TCPFlow.Key(segment.source, segment.destination)
    var flow: TCPFlow
    if let known = flows[key], !known.isReplaced(by: segment) {
      flow = known
    } else {
      if let old = flows[key], !old.isClosed { try detach(old, &sink) }
      if flows.count >= limit, flows[key] == nil { try letGo(&sink) }
      flow = TCPFlow(segment, at: time)
    }
    if flow.isClosed {
      sink.skip("TCP segment after the end of its connection")
      return
    }
    // Taken out while it changes, so that its first bytes are not copied.
    flows[key] = nil
    let wasFinished = flow.isFinished
    flow.add(segment, link, at: time)
    try tellOpening(&flow, segment, at: time, &sink)
    sink.use()
    if segment.isReset || wasFinished {
      try detach(flow, &sink)
      flow.isClosed = true
      flow.sent.first = nil
      flow.received.first = nil
    }
    flows[key] = flow
  }

  /// Ends all connections: the capture is over.
  mutating func finish(_ sink: inout ImportSink) throws(RecordingError) {
    try end(flows.values.sorted { ($0.stop, $0.local) < ($1.stop, $1.local) }, &sink)
    flows = [:]
  }

  private mutating func letGo(_ sink: inout ImportSink) throws(RecordingError) {
    let oldest = flows.sorted { ($0.value.stop, $0.value.local) < ($1.value.stop, $1.value.local) }
      .prefix(max(1, limit / 2))
    for (key, _) in oldest { flows[key] = nil }
    try end(oldest.map(\.value), &sink)
  }

  private func end(_ ended: [TCPFlow], _ sink: inout ImportSink) throws(RecordingError) {
    for flow in ended where !flow.isClosed { try detach(flow, &sink) }
  }

  private func tellOpening(
    _ flow: inout TCPFlow, _ segment: TCPSegment, at time: UInt64, _ sink: inout ImportSink
  ) throws(RecordingError) {
    switch flow.opening {
    case .notSeen:
      guard segment.isSynchronise, !segment.isAcknowledge, segment.source == flow.local else {
        return
      }
      let operation = sink.newOperation()
      flow.opening = .asked(operation: operation)
      try tellConnect(KEMON_KIND_NET_CONNECT_PRE, flow, operation, 0, at: time, &sink)
    case .asked(let operation):
      guard segment.source == flow.remote, segment.isSynchronise || segment.isReset else { return }
      flow.opening = .answered
      // ECONNREFUSED in Linux' numbers.
      let result: Int32 = segment.isReset ? 111 : 0
      try tellConnect(KEMON_KIND_NET_CONNECT, flow, operation, result, at: time, &sink)
    case .answered:
      return
    }
  }

  private func tellConnect(
    _ kind: some BinaryInteger, _ flow: TCPFlow, _ operation: UInt64, _ result: Int32,
    at time: UInt64, _ sink: inout ImportSink
  ) throws(RecordingError) {
    try sink.emit(kind, at: time, operation: operation) { builder in
      builder.header.pointee.result = result
      builder.setPayload(
        kemon_net_connect(
          source: builder.text(flow.local.address.text),
          destination: builder.text(flow.remote.address.text),
          source_port: flow.local.port, destination_port: flow.remote.port,
          address_family: flow.local.address.family, protocol: 6))
    }
  }

  private func detach(_ flow: TCPFlow, _ sink: inout ImportSink) throws(RecordingError) {
    // At the end of the capture, connections end now, whenever they were heard last.
    try sink.emit(KEMON_KIND_NET_TCP_DETACH, at: now, operation: sink.newOperation()) { builder in
      var payload = kemon_net_detach()
      payload.start_ns = flow.start
      payload.stop_ns = flow.stop
      payload.source = builder.text(flow.local.address.text)
      payload.destination = builder.text(flow.remote.address.text)
      payload.source_ether = builder.text(flow.sent.ether?.text)
      payload.destination_ether = builder.text(flow.received.ether?.text)
      payload.source_port = flow.local.port
      payload.destination_port = flow.remote.port
      payload.address_family = flow.local.address.family
      payload.protocol = 6
      payload.in_bytes = flow.received.bytes
      payload.out_bytes = flow.sent.bytes
      payload.in_packets = flow.received.packets
      payload.out_packets = flow.sent.packets
      payload.first_in = builder.data(flow.received.first)
      payload.first_out = builder.data(flow.sent.first)
      if flow.sent.isCut || flow.received.isCut {
        builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED)
      }
      builder.setPayload(payload)
    }
  }
}
