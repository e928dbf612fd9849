// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Testing

@testable import KemonHooks

@Suite(.serialized) struct PatchingTests {
  @Test func `no page is ever writable and executable`() throws {
    nonisolated(unsafe) let address = try fixture("fixture_add_maps")
    let done = Counter()
    let samples = Counter()
    onThreads(2) { role in
      if role == 0 {
        for _ in 0..<200 {
          do {
            try HookEngine.attach(
              entry: address, HookOptions(safety: .quiescent), handlers: HookHandlers()
            )
            .detach()
          } catch {
            Issue.record(error)
          }
        }
        done.add()
      } else {
        repeat {
          guard let map = try? MemoryMap() else { break }
          for region in map.regions where region.isWritable && region.isExecutable {
            Issue.record("\(region)")
          }
          samples.add()
        } while done.value == 0
      }
    }
    #expect(samples.value > 0)
    let map = try MemoryMap()
    let page = try #require(map.regions.first { $0.range.contains(UInt(bitPattern: address)) })
    #expect(page.isExecutable && !page.isWritable)
  }

  @Test func `hooking one place again and again takes no more memory`() throws {
    let address = try fixture("fixture_add_cycles")
    var jumps: Set<[UInt8]> = []
    for _ in 0..<200 {
      let hook = try HookEngine.attach(
        entry: address, HookOptions(safety: .quiescent), handlers: HookHandlers())
      jumps.insert(try bytes("fixture_add_cycles", count: 5))
      try hook.detach()
    }
    #expect(jumps.count == 1, "the stub of the first time serves always")
    #expect(fixture_add_cycles(1, 2, 3, 4, 5, 6) == 21)
  }

  @Test func `a change across the end of a page is one change`() throws {
    // Pages of zeros of our own, executable; no thread runs there.
    let slab = try CodeSlab(
      near: UInt(bitPattern: try fixture("fixture_add_maps")), in: try MemoryMap())
    let edge = slab.executable + 4096
    let zeros = [UInt8](repeating: 0, count: 5)
    let write = CodeWrite(address: edge - 2, old: zeros, new: [1, 2, 3, 4, 5])
    try TextPatcher.apply([write], .none, in: MemoryMap(regions: []))
    #expect(TextPatcher.read((edge - 3)..<(edge + 4)) == [0, 1, 2, 3, 4, 5, 0])
    let error = try #require(throws: HookError.self) {
      try TextPatcher.apply([write], .none, in: MemoryMap(regions: []))
    }
    #expect(error.code == .changed)
  }

  @Test func `a maps file is read`() throws {
    let text = """
      1000-3000 r-xp 00000000 fe:00 12   /usr/lib/a b.so
      5000-6000 rw-p 00000000 00:00 0
      nonsense

      8000-
      9000-a000 r
      10000000000000000-20000000000000000 r--p 0 0 0
      7000-6000 r--p 00000000 00:00 0
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
      """
    let regions = MemoryMap.parse(Array(text.utf8))
    #expect(regions.map(\.range.lowerBound) == [0x1000, 0x5000, 0xFFFF_FFFF_FF60_0000])
    #expect(regions.map(\.name) == ["/usr/lib/a b.so", "", "[vsyscall]"])
    #expect(regions[0].isExecutable && !regions[0].isWritable && regions[0].isReadable)
    #expect(regions[1].isWritable && !regions[1].isExecutable)
  }

  @Test func `the memory of stubs can not be hooked itself`() throws {
    let slab = try CodeSlab(
      near: UInt(bitPattern: try fixture("fixture_add_maps")), in: try MemoryMap())
    let map = try MemoryMap()
    let error = try #require(throws: HookError.self) {
      try map.requireCode(slab.executable..<(slab.executable + 64))
    }
    #expect(error.code == .notCode)
    #expect(error.message.contains("shared"))
  }

  @Test func `a slab is near, and full slabs say so`() throws {
    let address = UInt(bitPattern: try fixture("fixture_add_maps"))
    var slab = try CodeSlab(near: address, in: try MemoryMap())
    let distance = Int(bitPattern: slab.executable) - Int(bitPattern: address)
    #expect(abs(distance) < 1 << 31)
    #expect(slab.canServe(address, 64))
    #expect(!slab.canServe(address &+ 0x8000_0000, 64))
    #expect(!slab.canServe(address, CodeSlab.size + 1))
    var count = 0
    while slab.canServe(address, 4096) {
      let slot = slab.nextSlot
      slab.fill([UInt8](repeating: UInt8(count & 0xFF), count: 4096))
      #expect(TextPatcher.read(slot..<(slot + 2)) == [UInt8(count & 0xFF), UInt8(count & 0xFF)])
      count += 1
    }
    #expect(count == CodeSlab.size / 4096)
  }

  @Test func `where nothing is free nearby no stub is made`() throws {
    let address = UInt(bitPattern: try fixture("fixture_add_maps"))
    // Everything that a jump reaches is taken.
    let line =
      "\(String(address - 0x9000_0000, radix: 16))-\(String(address + 0x9000_0000, radix: 16)) "
    let map = MemoryMap(regions: MemoryMap.parse(Array("\(line)r-xp 0 0 0\n".utf8)))
    let error = try #require(throws: HookError.self) { try CodeSlab(near: address, in: map) }
    #expect(error.code == .outOfReach)
    #expect(error.message.contains("2 GiB"))
  }

  @Test func `a stub from where an operand can not be reached is not made`() throws {
    // mov rax, [rip + 0x7fffff00]: on the other side of the function than the stub.
    let code: [UInt8] = [0x48, 0x8B, 0x05, 0x00, 0xFF, 0xFF, 0x7F]
    let place: UInt = 0x1_0000_0000
    let instructions = try code.withUnsafeBytes {
      try Disassembler().instructions(in: $0, at: place, covering: 5)
    }
    let window = try PatchWindow(.window, .jump, instructions)
    let near = try Stub(.entry(CallShape(.bytes32)), for: window, slot: place + 0x1000)
    #expect(near.movedSize > 0)
    let error = try #require(throws: HookError.self) {
      try Stub(.entry(CallShape(.bytes32)), for: window, slot: place - 0x1000)
    }
    #expect(error.code == .outOfReach)
    #expect(error.address == place)
  }

  @Test func `code that spans mappings must be mapped without a hole`() throws {
    let address = UInt(bitPattern: try fixture("fixture_add_maps"))
    let map = try MemoryMap()
    #expect(throws: Never.self) { try map.requireCode(address..<(address + 64)) }
    let region = try #require(map.regions.first { $0.isExecutable })
    let error = try #require(throws: HookError.self) {
      try map.requireCode(region.range.lowerBound..<(region.range.lowerBound + (1 << 40)))
    }
    #expect(error.code == .notCode)
  }
}
