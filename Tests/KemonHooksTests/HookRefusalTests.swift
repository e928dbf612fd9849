// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import Testing

@testable import KemonHooks

@Suite(.serialized) struct HookRefusalTests {
  private func refusal(
    entry name: String, extent: FunctionExtent? = nil, safety: PatchSafety = .quiescent
  ) throws -> HookError {
    let before = try bytes(name)
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: try fixture(name), HookOptions(extent: extent, safety: safety),
        handlers: HookHandlers())
    }
    #expect(try bytes(name) == before, "nothing has changed")
    #expect(!error.message.isEmpty)
    return error
  }

  @Test func `a jump from a function in front between the replaced instructions`() throws {
    #expect(try refusal(entry: "fixture_jumped_into_early").code == .branchIntoWindow)
    #expect(fixture_jumps_into_second_byte(1) == 106)
  }

  @Test func `a function that is too short, and what follows is no padding`() throws {
    #expect(try refusal(entry: "fixture_tiny_before_data").code == .tooShort)
  }

  @Test func `a function whose end nobody knows, until the caller says it`() throws {
    #expect(try refusal(entry: "fixture_without_cfi").code == .unknownExtent)
    let start = try fixture("fixture_without_cfi")
    let size = try fixture("fixture_without_cfi_end") - start
    let probe = Probe()
    try hooking("fixture_without_cfi", extent: FunctionExtent(start: start, size: size), probe) {
      typealias Function = @convention(c) (Int) -> Int
      #expect(unsafeBitCast(start, to: Function.self)(1) == 10)
      #expect(probe.preCount == 1)
    }
  }

  @Test func `an extent that does not hold the address`() throws {
    let start = try fixture("fixture_add_twice")
    for extent in [
      FunctionExtent(start: start - 16, size: 16), FunctionExtent(start: start, size: 0),
      FunctionExtent(start: start, size: -1),
    ] {
      #expect(try refusal(entry: "fixture_add_twice", extent: extent).code == .unknownExtent)
    }
    let error = try refusal(
      entry: "fixture_add_twice", extent: FunctionExtent(start: start, size: 1 << 40))
    #expect(error.code == .notCode)
  }

  @Test func `the middle of a function as its beginning`() throws {
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: try fixture("fixture_add_twice") + 1, HookOptions(safety: .quiescent),
        handlers: HookHandlers())
    }
    #expect(error.code == .unknownExtent)
  }

  @Test func `the middle of an instruction as a call site`() throws {
    let site = try fixture("fixture_call_memory_site")
    for offset in 1..<6 {
      #expect(throws: HookError.self) {
        try HookEngine.attach(
          callSite: site + offset, HookOptions(safety: .quiescent), handlers: HookHandlers())
      }
    }
    #expect(fixture_call_memory(1, 2) == 3)
  }

  @Test func `a call site where no call stands`() throws {
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        callSite: try fixture("fixture_call_rbx"), HookOptions(safety: .quiescent),
        handlers: HookHandlers())
    }
    #expect(error.code == .notACall)
    #expect(error.message.contains("PUSH RBP"))
  }

  @Test func `a call site whose follower is the target of a jump`() throws {
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        callSite: try fixture("fixture_call_joined_site"), HookOptions(safety: .quiescent),
        handlers: HookHandlers())
    }
    #expect(error.code == .branchIntoWindow)
  }

  @Test func `a function whose place another one has taken`() throws {
    let address = try fixture("fixture_add_twice")
    let replacement = try HookEngine.replace(
      entry: address, with: try fixture("fixture_add_calls"))
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(entry: address, handlers: HookHandlers())
    }
    #expect(error.code == .alreadyHooked)
    #expect(throws: HookError.self) {
      try HookEngine.replace(entry: address, with: try fixture("fixture_add_skip"))
    }
    try replacement.restore()
    try HookEngine.attach(entry: address, handlers: HookHandlers()).detach()
  }

  @Test func `data and unmapped memory`() throws {
    let heap = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
    defer { heap.deallocate() }
    heap.initialize(repeating: 0x9090_9090_9090_9090, count: 8)
    let extent = FunctionExtent(start: heap, size: 64)
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: heap, HookOptions(extent: extent, safety: .quiescent), handlers: HookHandlers())
    }
    #expect(error.code == .notCode)
    let nowhere = try #require(UnsafeRawPointer(bitPattern: 4096))
    let unmapped = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: nowhere, HookOptions(safety: .quiescent), handlers: HookHandlers())
    }
    #expect(unmapped.code == .notCode)
  }

  @Test func `a function of the vDSO`() throws {
    let vdso = try #require(try MemoryMap().regions.first { $0.name == "[vdso]" }, "no vDSO")
    let address = try #require(UnsafeRawPointer(bitPattern: vdso.range.lowerBound))
    let error = try #require(throws: HookError.self) {
      try HookEngine.attach(
        entry: address,
        HookOptions(extent: FunctionExtent(start: address, size: 64), safety: .quiescent),
        handlers: HookHandlers())
    }
    #expect(error.code == .notCode)
    #expect(error.message.contains("kernel"))
  }

  @Test func `taking a hook out from its own handler`() throws {
    final class Box: @unchecked Sendable {
      var hook: Hook?
      var error: HookError?
    }
    let box = Box()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_add_slow_hook"), HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { context, _ in
          guard let context else { return Int32(CKEMON_PROCEED) }
          let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
          do { try box.hook?.detach() } catch { box.error = error as? HookError }
          return Int32(CKEMON_PROCEED)
        }, context: Unmanaged.passUnretained(box).toOpaque()))
    box.hook = hook
    #expect(fixture_add_slow_hook(1, 2, 3, 4, 5, 6) == 21)
    #expect(box.error?.code == .insideHandler)
    try hook.detach()
    #expect(fixture_add_slow_hook(1, 2, 3, 4, 5, 6) == 21)
  }

  @Test func `bytes that somebody else has changed are not written over`() throws {
    let address = try fixture("fixture_add_changed")
    let hook = try HookEngine.attach(
      entry: address, HookOptions(safety: .quiescent), handlers: HookHandlers())
    let jump = try bytes("fixture_add_changed", count: 5)
    try poke([0xCC], at: address)
    let error = try #require(throws: HookError.self) { try hook.detach() }
    #expect(error.code == .changed)
    try poke([jump[0]], at: address)
    try hook.detach()
    #expect(fixture_add_changed(1, 2, 3, 4, 5, 6) == 21)
  }

  /// Writes to code as a debugger does.
  private func poke(_ bytes: [UInt8], at address: UnsafeRawPointer) throws {
    let memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC)
    try #require(memory >= 0)
    defer { close(memory) }
    #expect(pwrite(memory, bytes, bytes.count, off_t(Int(bitPattern: address))) == bytes.count)
  }
}
