// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension TextFormatter {
  func dnsQuery(_ record: RecordView, _ line: inout LineBuffer) {
    guard let query = record.view(of: kemon_dns_query.self) else { return unknown(record, &line) }
    line.append(Dialect.prefix)
    line.append(dialect == .year2018 ? "<DNS Query> " : "action=UDP_DNS_QUERY, ")
    line.append(query.source, port: query.source_port)
    line.append(dialect == .year2018 ? "->" : "-->")
    line.append(query.destination, port: query.destination_port)
    line.append(socketOwnerOf: record, signedUser: dialect == .year2018)
    line.append(", query=")
    line.append(query.name)
    line.append(".\n")
  }

  func connect(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let connect = record.view(of: kemon_net_connect.self) else {
      return unknown(record, &line)
    }
    line.append(Dialect.prefix)
    line.append("action=")
    line.append(action)
    line.append(", ")
    line.append(connect.source, port: connect.source_port)
    line.append("-->")
    line.append(connect.destination, port: connect.destination_port)
    line.append(socketOwnerOf: record)
    line.append(outcomeOf: record)
  }

  func detach(_ socket: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let detach = record.view(of: kemon_net_detach.self) else { return unknown(record, &line) }
    line.append(Dialect.prefix)
    if dialect == .year2019 {
      line.append("action=")
      line.append(socket)
      line.append(detach.address_family == 6 ? "_IPV6_DETACH, " : "_IPV4_DETACH, ")
    }
    line.append(durationFrom: detach.start_ns, to: detach.stop_ns)
    if dialect == .year2018 {
      line.append("<")
      line.append(socket)
      line.append("> ")
    }
    endpoints(detach, &line)
    line.append(socketOwnerOf: record)
    line.append(", in=")
    line.append(packets: detach.in_packets, bytes: detach.in_bytes)
    line.append(", out=")
    line.append(packets: detach.out_packets, bytes: detach.out_bytes)
    line.append(".\n")
    dump("Dump first IN packet.\n", detach.first_in, &line)
    dump("Dump first OUT packet.\n", detach.first_out, &line)
  }

  private func endpoints(_ detach: PayloadView<kemon_net_detach>, _ line: inout LineBuffer) {
    let hasInbound = detach.in_packets != 0
    line.append(detach.source, port: detach.source_port)
    if hasInbound { line.append(ether: detach.source_ether) }
    line.append(hasInbound ? "<->" : detach.out_packets != 0 ? "-->" : "---")
    line.append(detach.destination, port: detach.destination_port)
    if hasInbound { line.append(ether: detach.destination_ether) }
  }

  /// A packet, as builds of the original with a traffic log show it.
  func packet(_ record: RecordView, _ line: inout LineBuffer) {
    guard let packet = record.view(of: kemon_net_packet.self) else { return unknown(record, &line) }
    let isSent = packet.direction == 1
    line.append(Dialect.prefix)
    line.append(packet.protocol == 6 ? "<TCP> " : "<UDP> ")
    line.append(packet.source, port: packet.source_port)
    if !isSent { line.append(ether: packet.source_ether) }
    line.append(isSent ? "->" : "<-")
    line.append(packet.destination, port: packet.destination_port)
    if !isSent { line.append(ether: packet.destination_ether) }
    line.append(".\n")
    dump(packet.data, at: packet.address, &line)
  }

  private func dump(_ title: StaticString, _ packet: RecordText, _ line: inout LineBuffer) {
    guard !packet.isEmpty else { return }
    line.append(Dialect.prefix)
    line.append(title)
    dump(packet, at: 0, &line)
  }

  /// Dumps a packet; by bytes when its length does not fit the width.
  private func dump(_ packet: RecordText, at address: UInt64, _ line: inout LineBuffer) {
    let fits = packet.bytes.count % width.unit == 0
    line.append(dumpOf: packet.bytes, at: address, as: fits ? width : .bytes)
  }
}

extension LineBuffer {
  fileprivate mutating func append(_ address: RecordText, port: UInt16) {
    append(address)
    append(":")
    append(decimal: port)
  }

  fileprivate mutating func append(ether: RecordText) {
    guard !ether.isEmpty else { return }
    append("(")
    append(ether)
    append(")")
  }

  fileprivate mutating func append(packets: UInt32, bytes: UInt64) {
    append(decimal: packets)
    append(" packets, ")
    append(decimal: bytes)
    append(" bytes")
  }

  /// A clock that was set back gives a negative duration, as in the original; microseconds have all their digits,
  /// which they had not there.
  fileprivate mutating func append(durationFrom start: UInt64, to stop: UInt64) {
    append("duration=")
    if stop < start { append("-") }
    let microseconds = (stop < start ? start - stop : stop - start) / 1000
    append(decimal: microseconds / 1_000_000)
    append(".")
    append(digits: microseconds % 1_000_000, atLeast: 6)
    append(" seconds, ")
  }
}
