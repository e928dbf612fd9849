// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus

/// Makes a shared ring, writes the number of its descriptor, and works on it until it is killed.
///
/// - `ring-creator publish SEED`: records with the sum of their body, their number, and the body; some are large.
/// - `ring-creator read`: takes what comes and forgets it.
@main
struct RingCreator {
  private static let configuration = RingConfiguration(
    slots: 64, slotBytes: 256, recordLimit: 65_536)

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count > 1 else { exit(64) }
    let publishes = arguments[1] == "publish"
    let shared = try SharedRing(creating: configuration, role: publishes ? .producer : .reader)
    let bodies = publishes ? makeBodies(arguments.count > 2 ? UInt32(arguments[2]) ?? 1 : 1) : []
    let line = "\(shared.descriptor)\n"
    guard write(1, line, line.utf8.count) == line.utf8.count else { exit(74) }
    if publishes {
      try publish(bodies, on: shared.ring)
    } else {
      let reader = SharedReader(shared)
      while true {
        if reader.drain({ _ in true }) == 0 { reader.wait(milliseconds: 1) }
      }
    }
  }

  private static func makeBodies(_ seed: UInt32) -> [UnsafeMutableRawBufferPointer] {
    var random = seed
    return (0..<32).map { index in
      random = random &* 1_664_525 &+ 1_013_904_223
      let size = 8 + Int((random >> 12) % (index % 4 == 0 ? 60_000 : 200))
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
      bytes.initializeMemory(as: UInt8.self, repeating: UInt8(random >> 24))
      var sum: UInt32 = 1
      var place = 8
      while place < size {
        sum = sum &* 31 &+ random >> 24
        place += 1
      }
      bytes.storeBytes(of: sum, as: UInt32.self)
      return bytes
    }
  }

  /// Copies most of the time, so that death comes in the middle of it.
  private static func publish(
    _ bodies: [UnsafeMutableRawBufferPointer], on ring: ByteRing
  ) throws {
    for number in 0..<UInt32.max {
      let bytes = bodies[Int(number % 32)]
      bytes.storeBytes(of: number, toByteOffset: 4, as: UInt32.self)
      while try ring.tryPublish(UnsafeRawBufferPointer(bytes)) == nil { sched_yield() }
    }
  }
}
