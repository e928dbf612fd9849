// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// Many threads in one tree, while hooks and listeners come and go.
@Suite struct FileConcurrencyTests {
  @Test func `eight threads leave a tree that makes sense`() throws {
    let machine = try FilesMachine()
    let files = machine.files
    for name in 0..<8 {
      try files.makeDirectory("/tmp/\(name)", mode: 0o777, as: machine.launchd)
    }
    let threads = (0..<8).map { number in
      let context = files.context(for: process(Int32(1000 + number), "user", uid: 0))
      return WorkerThread(named: "user \(number)") {
        var random = SeededRandom(seed: UInt64(number) + 1)
        for _ in 0..<400 { Self.act(files, context, &random) }
      }
    }
    for round in 0..<6 {
      if round % 2 == 0 { try machine.monitor.detach() } else { try machine.monitor.attach() }
    }
    for thread in threads { thread.join() }
    // Every name leads to a file that knows the name, and every path can be walked.
    for path in files.paths {
      let vnode = try files.vnode(path)
      let names = vnode.places.map { place -> String in
        let (error, count, bytes) = Self.path(of: place.name, in: place.directory, files)
        #expect(error == 0)
        return String(decoding: bytes[..<count], as: UTF8.self)
      }
      #expect(names.contains(path))
      #expect(try files.status(path, as: machine.launchd).number == vnode.number)
    }
  }

  private static func path(
    of name: UnsafeRawBufferPointer, in directory: Vnode, _ files: FileSystem
  ) -> (Int32, Int, [UInt8]) {
    var room = [UInt8](repeating: 0, count: 4096)
    let (error, count) = room.withUnsafeMutableBytes {
      files.path(of: name, in: directory.node, into: $0)
    }
    return (error, count, room)
  }

  private static func act(
    _ files: FileSystem, _ context: ProcessContext, _ random: inout SeededRandom
  ) {
    func path() -> String {
      "/tmp/\(Int.random(in: 0..<8, using: &random))/\(Int.random(in: 0..<8, using: &random))"
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1, 2:
      if let file = try? files.open(path(), [.write, .create], as: context) {
        try? files.write("x", to: file, as: context)
        try? files.close(file, as: context)
      }
    case 3: try? files.unlink(path(), as: context)
    case 4: try? files.rename(path(), to: path(), as: context)
    case 5: try? files.rename(path(), to: path(), .swap, as: context)
    case 6: try? files.link(path(), as: path(), by: context)
    default: try? files.exchange(path(), path(), as: context)
    }
  }

  @Test func `directories that move into each other never make a circle`() throws {
    let machine = try FilesMachine(hooked: false)
    let files = machine.files
    for name in ["a", "b", "c"] { try files.makeDirectory("/\(name)", as: machine.launchd) }
    let paths = [
      "/a", "/b", "/c", "/a/b", "/b/a", "/a/c", "/c/a", "/b/c", "/c/b", "/a/b/c", "/c/b/a",
    ]
    let threads = (0..<4).map { number in
      let context = files.context(for: process(Int32(2000 + number), "mover", uid: 0))
      return WorkerThread(named: "mover \(number)") {
        var random = SeededRandom(seed: UInt64(number) + 1)
        for _ in 0..<2000 {
          guard let from = paths.randomElement(using: &random),
            let to = paths.randomElement(using: &random)
          else { return }
          try? files.rename(from, to: to, as: context)
        }
      }
    }
    for thread in threads { thread.join() }
    // A circle would hang off no root. A directory may have replaced an empty one.
    let left = files.paths.filter { path in ["/a", "/b", "/c"].contains { path.hasPrefix($0) } }
    #expect((1...3).contains(left.count))
    for path in left { _ = try files.status(path, as: machine.launchd) }
  }

  @Test func `a name that is taken while it is made is opened instead`() throws {
    let machine = try FilesMachine()
    let files = machine.files
    let threads = (0..<4).map { number in
      let context = files.context(for: process(Int32(3000 + number), "maker", uid: 0))
      return WorkerThread(named: "maker \(number)") {
        for round in 0..<200 {
          guard let file = try? files.open("/tmp/\(round)", [.write, .create], as: context) else {
            Issue.record("an open failed")
            return
          }
          try? files.close(file, as: context)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(files.paths.filter { $0.hasPrefix("/tmp/") }.count == 200)
    // Whoever was asked was told.
    let seen = machine.seen()
    let asked = seen.filter { $0.phase == .pre }.map(\.corr)
    let told = seen.filter { $0.phase == .post && $0.kind != "file.close" }.map(\.corr)
    #expect(Set(asked).count == asked.count)
    #expect(asked.sorted() == told.sorted())
  }
}
