// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting

/// Makes events of any kind from the description of its payload.
struct EventGenerator {
  /// How far from everyday an event may be.
  enum Style {
    /// As a system has them.
    case plain
    /// As a system has them, but for their texts: absent, empty, huge and broken ones.
    case texts
    /// Anything that the headers allow: absent, empty, huge and broken texts, extreme numbers, flags.
    case wild
  }

  private var random: CheckRandom
  private let words: [String]
  private let paths: [String]
  private var time: UInt64 = 1_600_000_000_000_000_000

  /// - Parameter words: texts that are used beside everyday ones, such as those that the plugin has.
  init(seed: UInt64, words: [String]) {
    random = CheckRandom(seed: seed)
    self.words = Self.everyday + words
    paths =
      ["/etc/passwd", "/etc/shadow", "/tmp/a", "/usr/bin/ssh", "/Users/kim/notes.txt"]
      + words.filter { $0.hasPrefix("/") }
  }

  private static let everyday = [
    "com.example.driver", "sh", "launchd", "localhost", "192.168.1.1", "example.com", "1.0",
  ]

  /// An event of a kind.
  mutating func event(_ kind: EventKind, _ style: Style = .plain) -> OwnedRecord {
    time += 1_000_000
    let actor = style == .wild ? wildActor() : plainActor()
    // Moved through a copy, because the closure cannot change self.
    var generator = self
    let record = OwnedRecord(Int(kind.rawValue), by: actor) { builder in
      generator.fill(&builder, kind, style)
    }
    self = generator
    return record
  }

  /// Events of a kind that are wanted; fewer than asked for when few are.
  mutating func events(
    _ count: Int, of kind: EventKind, _ style: Style, where isWanted: (RecordView) -> Bool
  ) -> [OwnedRecord] {
    var found: [OwnedRecord] = []
    for _ in 0..<(count * 50) where found.count < count {
      let record = event(kind, style)
      if isWanted(record.view) { found.append(record) }
    }
    return found
  }

  // MARK: Who acts

  private mutating func plainActor() -> Actor {
    var actor = Actor(
      pid: random.pick([1, 59, 2612]), random.pick(["sh", "kextd", "Google Chrome"]),
      ppid: 1, parent: "launchd", uid: random.pick([0, 501, 1000]))
    actor.gid = random.pick([0, 20])
    actor.startTime = 1_500_000_000_000_000_000
    actor.exe = random.pick(["/bin/sh", "/usr/bin/ssh"] + paths)
    return actor
  }

  private mutating func wildActor() -> Actor {
    var actor = Actor(
      pid: random.pick([0, 1, -1, .max, .min, 59]), wildName(),
      ppid: random.pick([0, 1, -1, .max]),
      parent: wildName(), uid: random.pick([0, 501, .max, .max - 1]))
    actor.tid = random.pick([0, -1, .max, .min])
    actor.gid = random.pick([0, 20, .max])
    actor.startTime = random.pick([0, 1, .max])
    actor.exe = wildName()
    return actor
  }

  private mutating func wildName() -> String? {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: nil
    case 1: ""
    case 2: String(repeating: "n", count: 1024)
    case 3: random.pick(paths)
    default: random.pick(words)
    }
  }

  // MARK: What happens

  private mutating func fill(_ builder: inout RecordBuilder, _ kind: EventKind, _ style: Style) {
    guard let info = kind.info else { return }
    let isWild = style == .wild
    let count = isWild ? random.pick([0, 1, 3, 17]) : random.pick([0, 1, 2, 4])
    for field in info.fields {
      let value =
        field.type.isReference
        ? text(field, count, style, &builder) : number(field, count, isWild)
      withUnsafeBytes(of: value) { bytes in
        let place =
          UnsafeMutableRawPointer(builder.header)
          + Int(builder.header.pointee.payload_off) + field.offset
        place.copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(place), byteCount: field.width)
      }
    }
    builder.header.pointee.time_ns = time
    builder.header.pointee.seq = time / 1_000_000 & 0xFFFF
    builder.header.pointee.corr = UInt64.random(in: 1...1000, using: &random)
    if info.phase == .post { builder.header.pointee.result = random.pick([0, 0, 1, 2, 13]) }
    if isWild { disturb(&builder, info) }
  }

  /// Header fields that are rare.
  private mutating func disturb(_ builder: inout RecordBuilder, _ info: EventKindInfo) {
    builder.header.pointee.seq = random.pick([0, 1, 1 << 32, .max])
    builder.header.pointee.corr = random.pick([0, 1, .max])
    builder.header.pointee.time_ns = random.pick([0, time, .max])
    builder.header.pointee.deadline_ns = random.pick([0, time, .max])
    if info.phase == .post {
      builder.header.pointee.result = random.pick([0, 1, 13, 133, -1, .min, .max])
      builder.header.pointee.decided_by = random.pick([0, 1, .max])
      builder.header.pointee.verdict = random.pick([0, 1, 2, 3, 4])
    }
    if random.once(in: 3) { builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
    if random.once(in: 5) { builder.header.pointee.flags |= UInt16(KEMON_EV_GAP_BEFORE) }
    if random.once(in: 6) {
      // A producer that is older than some of the fields.
      builder.header.pointee.payload_size = UInt32(
        Int.random(in: 0...(info.payloadSize / 8), using: &random) * 8)
    }
  }

  private mutating func number(_ field: PayloadField, _ count: Int, _ isWild: Bool) -> UInt64 {
    if isWild {
      return random.pick([0, 1, 2, 0x7F, 0xFF, 0x7FFF_FFFF, 0x8000_0000, .max, 1 << 63, 1 << 32])
    }
    return switch field.name {
    case "argc", "handler_count": UInt64(count)
    case "reserved", "status", "value", "loadtime_flags": 0
    case "address_family": 4
    case "protocol": random.pick([6, 17])
    case "destination_port": random.pick([53, 443])
    case "op": 36
    default: random.pick([0, 1, 2, 0x1000, 4096])
    }
  }

  private mutating func text(
    _ field: PayloadField, _ count: Int, _ style: Style, _ builder: inout RecordBuilder
  ) -> UInt64 {
    let string =
      switch (field.type, style) {
      case (.list, .plain): builder.list((0..<count).map { _ in random.pick(words) })
      case (.bytes, .plain): builder.data(bytes(field, count))
      case (_, .plain): builder.text(plainText(field))
      case (_, .texts), (_, .wild): wildText(field, &builder)
      }
    return UInt64(string.off) | UInt64(string.len) << 32
  }

  private mutating func bytes(_ field: PayloadField, _ count: Int) -> [UInt8] {
    switch field.name {
    case "arguments", "handlers": [UInt8](repeating: 0x10, count: count * 8)
    default: Self.query
    }
  }

  private mutating func plainText(_ field: PayloadField) -> String {
    switch field.name {
    case "path", "to", "cwd": random.pick(paths)
    case "source", "destination": random.pick(["localhost", "192.168.1.1", "17.253.83.201"])
    case "source_ether", "destination_ether": "38:f9:d3:00:11:22"
    default: random.pick(words)
    }
  }

  private mutating func wildText(_ field: PayloadField, _ builder: inout RecordBuilder) -> kemon_str
  {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: kemon_str()
    case 1: builder.text("")
    case 2: builder.text("/" + String(repeating: "a", count: random.pick([255, 4096, 50_000])))
    case 3: builder.data([0x2F, 0xFF, 0xFE, 0xC0, 0x80, 0xED, 0xA0, 0x80])
    case 4: builder.data([0x2F, 0x65, 0, 0x74, 0x63])
    case 5: builder.text("%s%n%s%n")
    case 6: builder.text("/../../etc/../etc//shadow/.")
    case 7: builder.text(random.pick(paths))
    default: builder.text(random.pick(words))
    }
  }

  /// A DNS question for example.com.
  private static let query: [UInt8] =
    [0x9F, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7] + Array("example".utf8) + [3] + Array("com".utf8)
    + [0, 0, 1, 0, 1]
}
