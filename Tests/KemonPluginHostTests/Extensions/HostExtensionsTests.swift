// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct HostExtensionsTests {
  @Test func `a configuration is read by path`() throws {
    let test = try TestHost(mode: .bench)
    try test.folder.copy(Fixtures.build("configured"), to: "configured.so")
    let text =
      #"{"deny": [{"id": "x"}, {"id": "y"}], "number": 9007199254740993, "text": "päth", "truth": true}"#
    let report = test.load(.object(["configured": try JSONValue(parsing: text)]))
    #expect(report.problems.isEmpty)
    #expect(
      test.collector.lines == [
        "json \(text), \(text.utf8.count) bytes, mode 3, id 1", "text päth, same pointer 1",
        "second id y", "counts 2 4 -1 -1", "number 0 9007199254740993", "number from text -1 -7",
        "absent number -4 -7", "truth 0 1", "bad path NULL",
      ])
    #expect(report.loaded.first?.misbehaviour == 1, "count with a NULL path")
  }

  @Test func `what belongs to the control thread is refused in a handler`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("configured"), to: "configured.so")
    _ = test.load(.object(["configured": .object(["text": .string("x")])]))
    #expect(test.host.start().isEmpty)
    test.clock.set(1234)
    test.open("/tmp/x")
    #expect(
      test.collector.lines.last == "in a handler: on -10, off -10, string NULL, time 1234")
    #expect(test.collector.waiting.last == false, "a thread that owes a verdict may not wait")
    test.host.stop()
  }

  @Test func `a name is found by its number as soon as it is given`() {
    let names = NameRegistry()
    #expect(names.name(of: 1) == nil)
    for id in 1...1000 as ClosedRange<UInt32> { names.set("name \(id)", for: id) }
    for id in 1...1000 as ClosedRange<UInt32> {
      #expect(names.name(of: id).map { String(cString: $0) } == "name \(id)")
    }
    #expect(names.name(of: 0) == nil)
    #expect(names.name(of: 1_000_000) == nil)
    #expect(names.name(of: .max) == nil)
  }

  @Test func `names can be read while others are given`() {
    let names = NameRegistry()
    let isOver = Flag()
    let readers = (0..<2).map { _ in
      WorkerThread(named: "reader") {
        while !isOver.isSet {
          for id in stride(from: 1, to: 3000, by: 37) as StrideTo<UInt32> {
            let name = names.name(of: id).map { String(cString: $0) }
            if let name, name != "name \(id)" { Issue.record("\(id) is \(name)") }
          }
        }
      }
    }
    for id in 1..<3000 as Range<UInt32> { names.set("name \(id)", for: id) }
    isOver.set()
    for reader in readers { reader.join() }
  }
}
