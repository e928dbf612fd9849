// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@Suite struct EventKindTests {
  /// The message types of the 2018 Kemon, by number.
  static let original: [(UInt16, String, EventPhase)] = [
    (0x00, "file.open", .post), (0x01, "file.create", .post), (0x02, "file.close", .post),
    (0x03, "file.rename", .post), (0x04, "file.exchange", .post), (0x05, "file.link", .post),
    (0x06, "process.exec", .post), (0x07, "file.delete", .post), (0x08, "file.will_rename", .pre),
    (0x09, "file.write", .post), (0x20, "file.device_open", .post),
    (0x40, "net.tcp_detach", .post), (0x41, "net.udp_detach", .post),
    (0x42, "net.dns_query", .pre), (0x60, "dylib.map", .pre), (0x61, "kext.start", .pre),
    (0x62, "kext.start", .post),
  ]

  @Test(arguments: original)
  func `the original's numbers keep their meaning`(number: UInt16, name: String, phase: EventPhase)
  {
    let info = EventKind(rawValue: number).info
    #expect(info?.name == name)
    #expect(info?.phase == phase)
  }

  @Test func `names and phases lead back to the kind`() {
    for kind in EventKind.allKinds {
      guard let info = kind.info else {
        Issue.record("kind \(kind.rawValue) has no row")
        continue
      }
      #expect(EventKind.named(info.name, phase: info.phase) == kind)
      #expect(EventKind.matching(info.name, phase: info.phase) == [kind])
    }
  }

  @Test func `numbers and names are unique`() {
    let kinds = EventKind.allKinds
    #expect(Set(kinds).count == kinds.count)
    #expect(Set(kinds.compactMap { $0.info?.constant }).count == kinds.count)
    #expect(kinds.allSatisfy { Int($0.rawValue) < EventKind.limit })
  }

  @Test func `a pre kind has the number of its post kind with 0x100`() {
    for kind in EventKind.allKinds where kind.rawValue >= 0x100 {
      let post = EventKind(rawValue: kind.rawValue & 0xFF)
      #expect(kind.info?.phase == .pre)
      #expect(post.info?.name == kind.info?.name)
      #expect(post.info?.phase == .post)
    }
  }

  @Test func `the fields of every payload fill it without a gap`() {
    for info in EventKind.allKinds.compactMap(\.info) {
      var next = 0
      for field in info.fields {
        #expect(field.offset == next, "\(info.name).\(field.name)")
        next = field.offset + field.width
        #expect(!field.documentation.isEmpty)
      }
      #expect(next == info.payloadSize, "\(info.name)")
    }
  }

  @Test func `patterns match by beginning`() {
    let files = EventKind.matching("file.*", phase: nil)
    #expect(files.allSatisfy { $0.info?.family == .file })
    #expect(files.count == EventKind.allKinds.count { $0.info?.family == .file })
    #expect(EventKind.matching("*", phase: nil).filter { !$0.isDeclared } == EventKind.allKinds)
    #expect(EventKind.matching("file.*", phase: .pre).allSatisfy { $0.info?.phase == .pre })
    #expect(EventKind.matching("file.nothing", phase: nil).isEmpty)
  }

  @Test func `an unknown number has no row`() {
    #expect(EventKind(rawValue: 0x1FF).info == nil)
    #expect(EventKind(rawValue: .max).info == nil)
  }
}
