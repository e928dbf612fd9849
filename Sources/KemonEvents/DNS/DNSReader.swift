// SPDX-License-Identifier: Apache-2.0

/// Walks over a DNS message; never outside it.
struct DNSReader {
  /// Pointers that one name may follow: as many as it can have labels.
  private static let maximumPointers = 127

  let message: UnsafeRawBufferPointer
  private(set) var position: Int

  init(message: UnsafeRawBufferPointer, position: Int) {
    self.message = message
    self.position = position
  }

  /// A number at a place that is known to lie inside.
  func integer(at offset: Int) -> UInt16 {
    UInt16(message[offset]) << 8 | UInt16(message[offset + 1])
  }

  mutating func integer(orThrow code: DNSError.Code) throws(DNSError) -> UInt16 {
    guard position + 2 <= message.count else { throw DNSError(code, at: position) }
    defer { position += 2 }
    return integer(at: position)
  }

  /// Reads a name and goes behind it.
  mutating func name() throws(DNSError) -> DNSName {
    var wire: [UInt8] = []
    var place = position
    // Where the run of labels began that is being read: a pointer must go before it.
    var runStart = position
    var behind: Int?
    var pointers = 0
    while true {
      guard place < message.count else { throw DNSError(.truncated, at: place) }
      let length = Int(message[place])
      switch length >> 6 {
      case 0:
        if length == 0 {
          position = behind ?? place + 1
          return DNSName(wire: wire)
        }
        guard place + 1 + length <= message.count else { throw DNSError(.truncated, at: place) }
        guard wire.count + 1 + length < DNSName.limit else {
          throw DNSError(.nameTooLong, at: place)
        }
        wire.append(contentsOf: message[place...place + length])
        place += 1 + length
      case 3:
        guard place + 2 <= message.count else { throw DNSError(.truncated, at: place) }
        let target = Int(integer(at: place) & 0x3FFF)
        guard target != place else { throw DNSError(.selfPointer, at: place) }
        guard target < place else { throw DNSError(.forwardPointer, at: place) }
        guard target < runStart else { throw DNSError(.loop, at: place) }
        pointers += 1
        guard pointers <= Self.maximumPointers else { throw DNSError(.tooManyPointers, at: place) }
        behind = behind ?? place + 2
        place = target
        runStart = target
      default:
        throw DNSError(.badLabel, at: place)
      }
    }
  }

  /// Goes behind a resource record.
  mutating func skipRecord() throws(DNSError) {
    guard position < message.count else { throw DNSError(.truncatedRecord, at: position) }
    _ = try name()
    guard position + 10 <= message.count else { throw DNSError(.truncatedRecord, at: position) }
    let length = Int(integer(at: position + 8))
    position += 10
    guard position + length <= message.count else { throw DNSError(.truncatedData, at: position) }
    position += length
  }
}
