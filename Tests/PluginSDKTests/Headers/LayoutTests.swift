// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonTestSupport
import Testing

@Suite struct LayoutTests {
  /// The structs of the headers with their fields, as the compiler sees them.
  private func structs() throws -> [String: [String]] {
    let compiler = try #require(Compiler.present.first { !$0.isCXX })
    let folder = try ScratchFolder()
    let source = try folder.write("#include <kemon/kemon.h>\n", to: "all.c")
    let text = try compiler.run(["-E", "-P", source]).output
    var structs: [String: [String]] = [:]
    for match in text.matches(of: /struct\s+(kemon_\w+)\s*\{([^}]*)\}/) {
      structs[String(match.1)] = match.2.split(separator: ";").flatMap(Self.names)
    }
    return structs
  }

  /// The names that one declaration declares: `uint32_t line, column`, `char text[240]`, `void (*stop)(void *)`.
  private static func names(_ declaration: Substring) -> [String] {
    guard let last = declaration.split(whereSeparator: \.isWhitespace).last, !last.isEmpty else {
      return []
    }
    if let function = declaration.firstMatch(of: /\(\*(\w+)\)/) { return [String(function.1)] }
    return declaration.split(separator: ",").compactMap { part in
      part.firstMatch(of: /(\w+)\s*(\[\d+\])?\s*$/).map { String($0.1) }
    }
  }

  @Test func `every field of every struct is pinned`() throws {
    let structs = try structs()
    #expect(structs.count >= 29)
    let layout = try String(
      contentsOf: Checkout.sdk.appending(path: "src/layout.c"), encoding: .utf8)
    for (name, fields) in structs {
      #expect(!fields.isEmpty)
      #expect(layout.contains("SIZE(\(name), "), "the size of \(name) is not pinned")
      for field in fields {
        #expect(layout.contains("OFFSET(\(name), \(field), "), "\(name).\(field) is not pinned")
      }
      let pinned = layout.matches(of: try Regex("OFFSET\\(\(name), \\w+, \\d+\\);")).count
      #expect(pinned == fields.count, "\(name) has \(fields.count) fields, \(pinned) are pinned")
    }
  }

  @Test func `payloads have no silent padding and grow in whole words`() throws {
    for kind in EventKind.allKinds {
      let info = try #require(kind.info)
      var offset = 0
      for field in info.fields {
        #expect(field.offset == offset, "\(info.name).\(field.name)")
        offset += field.width
        #expect(!field.documentation.isEmpty)
      }
      #expect(info.payloadSize == offset)
      #expect(offset % 8 == 0)
    }
  }

  @Test func `kinds are what the original numbered them`() {
    let numbers = EventKind.allKinds.map(\.rawValue)
    #expect(Set(numbers).count == numbers.count)
    let original: [UInt16] = Array(0x00...0x09) + [0x20, 0x40, 0x41, 0x42, 0x60, 0x61, 0x62]
    #expect(original.allSatisfy(numbers.contains))
    for kind in EventKind.allKinds where kind.rawValue >= 0x100 {
      #expect(kind.info?.phase == .pre)
      let post = EventKind(rawValue: kind.rawValue & 0xFF)
      #expect(post.info?.name == kind.info?.name && post.info?.phase == .post)
      #expect(post.info?.payloadSize == kind.info?.payloadSize)
    }
  }
}
