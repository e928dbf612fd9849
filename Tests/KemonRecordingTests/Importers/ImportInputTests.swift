// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonRecording

@Suite struct ImportInputTests {
  /// Gives its bytes one by one, as a slow pipe does.
  final class Trickle: ByteSource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
      guard let byte = rest.popFirst() else { return 0 }
      buffer[0] = byte
      return 1
    }
  }

  func lines(_ input: ImportInput, limit: Int = 100) -> [String] {
    var lines: [String] = []
    while let line = input.line(limit: limit) {
      switch line {
      case .text(let bytes), .unended(let bytes):
        lines.append(String(decoding: bytes, as: UTF8.self))
      case .tooLong(let count): lines.append("too long: \(count)")
      }
    }
    return lines
  }

  func input(_ bytes: [UInt8]) -> ImportInput { ImportInput(MemorySource(bytes)) }

  @Test(arguments: [
    ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\n", ["", ""]),
    ("a\r\nb\r\n", ["a", "b"]), ("one\n\ntwo\n", ["one", "", "two"]),
  ])
  func `lines end at line ends and at the end`(text: String, expected: [String]) {
    #expect(lines(input(Array(text.utf8))) == expected)
    #expect(lines(ImportInput(Trickle(Array(text.utf8)))) == expected)
  }

  @Test func `a line above the limit is counted and passed over in bounded memory`() {
    let long = [UInt8](repeating: 0x61, count: 1_000_000)
    let text = Array("first\n".utf8) + long + Array("\nlast".utf8)
    #expect(lines(input(text)) == ["first", "too long: 1000000", "last"])
    #expect(lines(input(long)) == ["too long: 1000000"])
    #expect(lines(input(Array("12345\n123456\n".utf8)), limit: 5) == ["12345", "too long: 6"])
  }

  @Test func `gzip is recognised and inflated`() {
    let text = (0..<20_000).map { "line \($0)" }
    let data = gzip(Array(text.joined(separator: "\n").utf8))
    #expect(lines(input(data)) == text)
    let slow = ImportInput(Trickle(gzip(Array("a\nb\n".utf8))))
    #expect(lines(slow) == ["a", "b"] && slow.failure == nil)
  }

  @Test func `members of gzip that follow each other are one text`() {
    let joined = input(gzip(Array("one\ntw".utf8)) + gzip([]) + gzip(Array("o\nthree".utf8)))
    #expect(lines(joined) == ["one", "two", "three"])
    #expect(joined.failure == nil)
  }

  @Test func `of gzip that is cut anywhere the good part is kept and the cut is named`() {
    let data = gzip(Array("one\ntwo\nthree\n".utf8))
    for count in 2..<data.count {
      let cut = input(Array(data.prefix(count)))
      let found = lines(cut)
      #expect(
        ["one", "two", "three"].joined(separator: "\n").hasPrefix(found.joined(separator: "\n")))
      #expect(cut.failure?.message == "the gzip data is cut after \(count) compressed bytes")
    }
  }

  @Test func `damaged gzip is named, and so is what follows it`() {
    var wrongSum = gzip(Array("one\n".utf8))
    wrongSum[wrongSum.count - 6] ^= 1
    let first = input(wrongSum)
    #expect(lines(first) == ["one"])
    #expect(first.failure?.message.contains("incorrect data check") == true)
    let second = input(gzip(Array("one\n".utf8)) + Array("garbage".utf8))
    #expect(lines(second) == ["one"])
    #expect(second.failure?.message.contains("damaged") == true)
  }

  @Test func `bytes are taken whole or not at all`() {
    let source = input([1, 2, 3, 4, 5])
    #expect(source.take(2).map(Array.init) == [1, 2])
    #expect(source.peek(3).map(Array.init) == [3, 4, 5])
    #expect(source.take(4) == nil && source.available(upTo: 10) == 3 && source.offset == 2)
    #expect(source.take(3).map(Array.init) == [3, 4, 5])
    #expect(source.take(0).map(Array.init) == [])
  }

  @Test func `a missing file is named`() throws {
    let error = #expect(throws: RecordingError.self) { try ImportInput(path: "/no/such/file") }
    #expect(error?.code == .cannotOpen && error?.path == "/no/such/file")
  }
}
