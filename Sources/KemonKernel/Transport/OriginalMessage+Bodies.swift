// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// What stands behind the header, kind by kind; false for a payload that is too short.
extension OriginalMessage {
  private static let first = Layout.header
  private static let second = Layout.header + Layout.path

  mutating func putFile(_ record: RecordView) -> Bool {
    guard let file = record.view(of: kemon_file.self) else { return false }
    put(file.path.bytes, at: Self.first, limit: Layout.path)
    return true
  }

  mutating func putClose(_ record: RecordView) -> Bool {
    guard let file = record.view(of: kemon_file_close.self) else { return false }
    put(file.path.bytes, at: Self.first, limit: Layout.path)
    put(file.modified, at: Self.second)
    return true
  }

  mutating func putPair(_ record: RecordView) -> Bool {
    guard let pair = record.view(of: kemon_file_pair.self) else { return false }
    put(pair.path.bytes, at: Self.first, limit: Layout.path)
    put(pair.to.bytes, at: Self.second, limit: Layout.path)
    return true
  }

  mutating func putExec(_ record: RecordView) -> Bool {
    guard let exec = record.view(of: kemon_exec.self) else { return false }
    put(exec.path.bytes, at: Self.first, limit: Layout.path)
    let list = exec.argv.bytes
    guard let end = list.last else { return true }
    guard end == 0 else {
      // What the original says when its buffer does not hold them.
      let text = Array("Command line overflow!".utf8)
      put(UInt64(text.count + 1), at: Self.second)
      append(text + [0])
      return true
    }
    // Joined by single spaces, without quotes; the last argument's NUL ends it.
    put(UInt64(list.count), at: Self.second)
    append(list.dropLast().lazy.map { $0 == 0 ? UInt8(ascii: " ") : $0 })
    append(CollectionOfOne(0))
    return true
  }

  mutating func putTCP(_ record: RecordView) -> Bool {
    guard let detach = record.view(of: kemon_net_detach.self) else { return false }
    putConnection(detach)
    put(UInt32(truncatingIfNeeded: detach.in_bytes), at: 2648)
    put(detach.in_packets, at: 2652)
    put(UInt32(truncatingIfNeeded: detach.out_bytes), at: 2656)
    put(detach.out_packets, at: 2660)
    put(UInt32(detach.first_in.bytes.count), at: 2664)
    put(UInt32(detach.first_out.bytes.count), at: 2668)
    append(detach.first_in.bytes)
    append(detach.first_out.bytes)
    return true
  }

  mutating func putUDP(_ record: RecordView) -> Bool {
    guard let detach = record.view(of: kemon_net_detach.self) else { return false }
    putConnection(detach)
    return true
  }

  private mutating func putConnection(_ detach: PayloadView<kemon_net_detach>) {
    put(time: detach.start_ns, at: 2088)
    put(time: detach.stop_ns, at: 2104)
    put(detach.source.bytes, at: 2120, limit: Layout.address)
    put(detach.destination.bytes, at: 2376, limit: Layout.address)
    put(ether: detach.source_ether, at: 2632)
    put(ether: detach.destination_ether, at: 2638)
    put(detach.source_port, at: 2644)
    put(detach.destination_port, at: 2646)
  }

  private mutating func put(ether text: RecordText, at offset: Int) {
    guard let ether = EtherAddress(text.string) else { return }
    put(UInt16(truncatingIfNeeded: ether.value >> 32).bigEndian, at: offset)
    put(UInt32(truncatingIfNeeded: ether.value).bigEndian, at: offset + 2)
  }

  mutating func putQuery(_ record: RecordView) -> Bool {
    guard let query = record.view(of: kemon_dns_query.self) else { return false }
    put(query.source.bytes, at: 2088, limit: Layout.address)
    put(query.destination.bytes, at: 2344, limit: Layout.address)
    put(query.source_port, at: 2600)
    put(query.destination_port, at: 2602)
    put(UInt64(query.name.bytes.count), at: 2608)
    append(query.name.bytes)
    return true
  }

  mutating func putLibrary(_ record: RecordView) -> Bool {
    guard let library = record.view(of: kemon_dylib_map.self) else { return false }
    put(library.path.bytes, at: Self.first, limit: Layout.path)
    return true
  }

  mutating func putKext(_ record: RecordView) -> Bool {
    guard let kext = record.view(of: kemon_kext.self) else { return false }
    put(kext.status, at: 2088)
    put(kext.base, at: 2096)
    put(kext.module_size, at: 2104)
    put(kext.name.bytes, at: 2112, limit: Layout.path)
    put(kext.path.bytes, at: 3136, limit: Layout.path)
    put(kext.version.bytes, at: 4160, limit: Layout.path)
    return true
  }
}
