// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus

/// The ring of a worker's lane by itself, with several questions under way.
///
/// The other side is this program again, which answers as a worker does.
enum Batches {
  private static let verb = "answer"
  private static let size = 144 + 240

  /// Answers until the end and never returns, when the program was started for that.
  static func answerIfAsked() {
    guard CommandLine.arguments.count == 3, CommandLine.arguments[1] == verb,
      let descriptor = Int32(CommandLine.arguments[2]),
      let ring = try? SharedRing(attaching: descriptor)
    else { return }
    let responder = SharedResponder(ring)
    while true {
      if responder.serve(limit: 64, { _ in 0 }) == 0 { responder.wait(milliseconds: 100) }
    }
  }

  /// Measures one question, and 32 at a time.
  static func measure(rounds: Int) throws -> [Row] {
    let shared = try SharedRing(
      creating: RingConfiguration(slots: 64, slotBytes: 1024), role: .producer)
    let child = startAnswerer(shared.descriptor)
    guard child > 0 else { throw BenchError("no process to answer") }
    defer {
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
    }
    try shared.watch(peer: child)
    var times: [UInt64] = []
    for _ in 0..<51_000 {
      let start = EventClock.monotonic()
      try ask(shared.ring, 1)
      times.append(EventClock.monotonic() - start)
    }
    let batches = 5000
    let batched = try Row(
      "32 questions in a lane's ring at a time, each", rounds: rounds, calls: batches * 32,
      target: 200
    ) {
      let start = EventClock.monotonic()
      for _ in 0..<batches { try ask(shared.ring, 32) }
      return EventClock.monotonic() - start
    }
    return [
      Row("a question in a lane's ring, there and back", times: Array(times.dropFirst(1000))),
      batched,
    ]
  }

  private static let eager = EagerWait()

  private static func ask(_ ring: ByteRing, _ count: Int) throws {
    var sequences: [UInt64] = []
    sequences.reserveCapacity(count)
    let deadline = EventClock.monotonic() + 1_000_000_000
    for _ in 0..<count {
      let sequence = try ring.tryRequest(byteCount: size) { place in
        place.initializeMemory(as: UInt8.self, repeating: 7, count: size)
      }
      guard let sequence else { throw BenchError("the ring is full") }
      sequences.append(sequence)
    }
    // The last one first: who sleeps is woken once.
    for sequence in sequences.reversed() {
      let answer = ring.answer(to: sequence, byteCount: size, eager, deadline: deadline) {
        value, _ in value
      }
      guard answer != nil else { throw BenchError("no answer") }
    }
  }

  private static func startAnswerer(_ descriptor: Int32) -> pid_t {
    let copy = dup(descriptor)
    defer { close(copy) }
    var child: pid_t = 0
    let words = ["bench-plugins", verb, "\(copy)"]
    let texts: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for text in texts { free(text) } }
    let result = texts.withUnsafeBufferPointer { list in
      list.baseAddress.map { posix_spawn(&child, "/proc/self/exe", nil, nil, $0, environ) } ?? -1
    }
    return result == 0 ? child : 0
  }
}
