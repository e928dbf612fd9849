// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonHooks

@Suite struct LibrarySurveyTests {
  /// A library that the tests have loaded, and a larger one with indirect functions.
  private static let loaded = "libgcc_s.so.1"
  private static let indirect = "libm.so.6"

  @Test func `a loaded library is surveyed where it is`() throws {
    let survey = try LibrarySurvey(of: Self.loaded)
    #expect(survey.wasLoaded)
    #expect(survey.exports.count > 100)
    let resume = try #require(survey.exports.first { $0.name == "_Unwind_Resume" })
    #expect(resume.tier != nil)
    #expect(resume.size > 0)
    #expect(survey.exports.allSatisfy { ($0.tier == nil) == ($0.reason != nil) })
  }

  @Test func `a copy that nobody has loaded says the same of direct functions`() throws {
    let loaded = try LibrarySurvey(of: Self.indirect)
    let scratch = try ScratchFolder()
    try scratch.copy(loaded.path, to: "copy.so")
    let copy = try LibrarySurvey(of: scratch.file("copy.so"))
    #expect(!copy.wasLoaded)
    #expect(copy.exports.map(\.name) == loaded.exports.map(\.name))
    #expect(copy.exports.map(\.address) == loaded.exports.map(\.address))
    let refused = copy.exports.filter { $0.tier == nil }
    #expect(refused.allSatisfy { $0.reason?.isEmpty == false })
    let indirect = refused.filter { $0.reason?.contains("indirect") == true }
    #expect(!indirect.isEmpty)
    #expect(refused.count - indirect.count <= copy.exports.count / 1000)
  }

  @Test func `a survey changes nothing`() throws {
    let before = try Self.text(of: Self.loaded)
    _ = try LibrarySurvey(of: Self.loaded)
    let after = try Self.text(of: Self.loaded)
    #expect(before == after)
  }

  @Test func `what is no library is refused with a reason`() throws {
    let scratch = try ScratchFolder()
    let text = try scratch.write("not a library, whatever it says", to: "text.so")
    let empty = try scratch.write("", to: "empty.so")
    for path in [text, empty, "/dev/null", scratch.file(".")] {
      let error = #expect(throws: SurveyError.self) { try LibrarySurvey(of: path) }
      #expect(error?.code == .notALibrary)
      #expect(error?.path == path)
    }
    let error = #expect(throws: SurveyError.self) { try LibrarySurvey(of: "/nowhere/at/all.so") }
    #expect(error?.code == .unreadable)
  }

  @Test func `a damaged library is refused or surveyed, and nothing else`() throws {
    let path = try LibrarySurvey(of: Self.loaded).path
    let good = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let scratch = try ScratchFolder()
    // The tables of sections and segments, and some of what they point to.
    var places = Array(0..<64) + Array(64..<400)
    let sections = good.withUnsafeBytes {
      Int($0.loadUnaligned(fromByteOffset: 40, as: UInt64.self))
    }
    places += sections..<min(good.count, sections + 64 * 12)
    var random: UInt64 = 9
    for round in 0..<60 {
      var bytes = good
      for _ in 0..<3 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let place = places[Int(random >> 33) % places.count]
        bytes[place] = UInt8(truncatingIfNeeded: random >> 20)
      }
      if round.isMultiple(of: 6) { bytes.removeLast(Int(random >> 40) % bytes.count) }
      let file = scratch.file("damaged.so")
      try Data(bytes).write(to: URL(filePath: file))
      _ = try? LibraryFile(path: file)
    }
  }

  /// The executable bytes of a library in this process.
  private static func text(of library: String) throws -> [UInt8] {
    // Has no size: what reads a file by its size gets a part of it.
    let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
    let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
    let line = try #require(
      maps.split(separator: "\n").first { $0.contains(" r-xp ") && $0.hasSuffix("/\(library)") })
    let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    let start = try #require(UnsafeRawPointer(bitPattern: ends[0]))
    return Array(UnsafeRawBufferPointer(start: start, count: Int(ends[1] - ends[0])))
  }
}
