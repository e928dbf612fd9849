// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import KemonHooks
import Testing

@Suite(.serialized) struct CallSiteHookTests {
  typealias Shape = @Sendable (Int, Int) -> (value: Int32, zero: Int32, sign: Int32)
  typealias Target = @convention(c) (Int, Int) -> Int32

  private static func run(
    _ function: (Target, Int, Int, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) ->
      Int32,
    _ first: Int, _ second: Int
  ) -> (value: Int32, zero: Int32, sign: Int32) {
    var zero: Int32 = -1
    var sign: Int32 = -1
    let value = function({ fixture_callee($0, $1) }, first, second, &zero, &sign)
    return (value, zero, sign)
  }

  static let shapes: [(site: String, listing: [String], call: Shape)] = [
    (
      "fixture_call_rbx_site",
      ["(02) ffd3 CALL RBX", "(02) 89c3 MOV EBX, EAX", "(02) 85db TEST EBX, EBX"],
      { run(fixture_call_rbx, $0, $1) }
    ),
    (
      "fixture_call_rbp50_site", ["(03) ff55b0 CALL QWORD [RBP-0x50]", "(02) 89c3 MOV EBX, EAX"],
      { run(fixture_call_rbp50, $0, $1) }
    ),
    (
      "fixture_call_rbp38_site",
      ["(03) ff55c8 CALL QWORD [RBP-0x38]", "(03) 4189c6 MOV R14D, EAX"],
      { run(fixture_call_rbp38, $0, $1) }
    ),
  ]

  @Test(arguments: 0..<3) func `the shapes of OSKext start are hooked`(_ index: Int) throws {
    let shape = Self.shapes[index]
    let before = try bytes(shape.site)
    let plain = shape.call(2, 3)
    #expect(plain == (5, 0, 0))
    let probe = Probe()
    let hook = try HookEngine.attach(
      callSite: try fixture(shape.site), HookOptions(safety: .quiescent), handlers: probe.handlers)
    #expect(hook.replaced.map(\.description) == shape.listing)
    #expect(shape.call(2, 3) == (5, 0, 0))
    #expect(shape.call(2, -2) == (0, 1, 0))
    #expect(shape.call(2, -3) == (-1, 0, 1))
    #expect(probe.preCount == 3)
    #expect(probe.postCount == 3)
    #expect(probe.seenFirst == 2)
    try hook.detach()
    #expect(try bytes(shape.site) == before)
    #expect(shape.call(2, 3) == (5, 0, 0))
    #expect(probe.preCount == 3)
  }

  @Test(arguments: 0..<3) func `the code behind the call works on the replaced result`(
    _ index: Int
  ) throws {
    let shape = Self.shapes[index]
    let probe = Probe(addend: UInt64(bitPattern: -5))
    let hook = try HookEngine.attach(
      callSite: try fixture(shape.site), HookOptions(safety: .quiescent), handlers: probe.handlers)
    #expect(shape.call(2, 3) == (0, 1, 0), "the flags are those of the replaced result")
    #expect(shape.call(1, 1) == (-3, 0, 1))
    try hook.detach()
  }

  @Test(arguments: 0..<3) func `a skipped call gives the result that pre has set`(
    _ index: Int
  ) throws {
    let shape = Self.shapes[index]
    let probe = Probe(skipResult: 5)
    let hook = try HookEngine.attach(
      callSite: try fixture(shape.site), HookOptions(safety: .quiescent), handlers: probe.handlers)
    #expect(shape.call(100, 3) == (5, 0, 0))
    #expect(probe.skipCount == 1)
    try hook.detach()
  }

  @Test(arguments: [
    ("fixture_call_memory", true), ("fixture_call_direct", true), ("fixture_call_r11", false),
    ("fixture_call_stack", false), ("fixture_call_indexed", false),
  ]) func `other calls are hooked`(_ name: String, _ isLive: Bool) throws {
    let functions: [String: @convention(c) (Int, Int) -> Int32] = [
      "fixture_call_memory": { fixture_call_memory($0, $1) },
      "fixture_call_direct": { fixture_call_direct($0, $1) },
      "fixture_call_r11": { fixture_call_r11($0, $1) },
      "fixture_call_stack": { fixture_call_stack($0, $1) },
      "fixture_call_indexed": { fixture_call_indexed($0, $1) },
    ]
    let function = try #require(functions[name])
    let site = try fixture(name + "_site")
    let probe = Probe(addend: 10)
    if !isLive {
      let error = try #require(throws: HookError.self) {
        try HookEngine.attach(callSite: site, HookOptions(safety: .live), handlers: probe.handlers)
      }
      #expect(error.code == .needsQuiescence)
    }
    let hook = try HookEngine.attach(
      callSite: site, HookOptions(safety: isLive ? .live : .quiescent), handlers: probe.handlers)
    #expect(function(30, 2) == 42)
    #expect(probe.preCount == 1)
    try hook.detach()
    #expect(function(30, 2) == 32)
  }

  @Test func `a call that is one long instruction is hooked while threads make it`() throws {
    nonisolated(unsafe) let site = try fixture("fixture_call_memory_site")
    let probe = Probe(addend: 0)
    let wrong = Counter()
    onThreads(4) { role in
      if role == 0 {
        for _ in 0..<200 {
          do {
            try HookEngine.attach(callSite: site, handlers: probe.handlers).detach()
          } catch {
            Issue.record(error)
          }
        }
      } else {
        for number in 0..<100_000 where fixture_call_memory(number, 1) != Int32(number) + 1 {
          wrong.add()
        }
      }
    }
    #expect(wrong.value == 0)
    #expect(probe.preCount == probe.postCount)
  }

  @Test func `another call site of the same function is not hooked`() throws {
    let probe = Probe()
    let hook = try HookEngine.attach(
      callSite: try fixture("fixture_call_direct_site"), handlers: probe.handlers)
    #expect(fixture_call_memory(1, 2) == 3)
    #expect(probe.preCount == 0)
    try hook.detach()
  }

  @Test func `a handler may send the call elsewhere`() throws {
    let hook = try HookEngine.attach(
      callSite: try fixture("fixture_call_direct_site"),
      handlers: HookHandlers(pre: { _, frame in
        let other: Target = { fixture_other_callee($0, $1) }
        frame.pointee.target = UInt64(UInt(bitPattern: unsafeBitCast(other, to: Int.self)))
        return Int32(CKEMON_PROCEED)
      }))
    #expect(fixture_call_direct(1, 2) == 5)
    try hook.detach()
  }

  @Test func `a function and a call in it are hooked at the same time`() throws {
    let outer = Probe()
    let inner = Probe()
    let entry = try HookEngine.attach(
      entry: try fixture("fixture_call_rbx"), HookOptions(safety: .quiescent),
      handlers: outer.handlers)
    let site = try HookEngine.attach(
      callSite: try fixture("fixture_call_rbx_site"), HookOptions(safety: .quiescent),
      handlers: inner.handlers)
    #expect(Self.shapes[0].call(2, 3) == (5, 0, 0))
    try entry.detach()
    #expect(Self.shapes[0].call(2, 3) == (5, 0, 0))
    try site.detach()
    #expect(outer.preCount == 1)
    #expect(inner.preCount == 2)
    #expect(Self.shapes[0].call(2, 3) == (5, 0, 0))
  }

  @Test func `unwinding from a handler reaches the function that makes the call`() throws {
    final class Found: @unchecked Sendable {
      var frames: Int32 = 0
      var returnAddress: UInt64 = 0
      let start: UnsafeRawPointer
      init(_ start: UnsafeRawPointer) { self.start = start }
    }
    let site = try fixture("fixture_call_rbx_site")
    let found = Found(try fixture("fixture_call_rbx"))
    let hook = try HookEngine.attach(
      callSite: site, HookOptions(safety: .quiescent),
      handlers: HookHandlers(
        pre: { context, frame in
          guard let context else { return Int32(CKEMON_PROCEED) }
          let found = Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
          found.frames = fixture_frames_in(found.start, 256)
          found.returnAddress = frame.pointee.return_address
          return Int32(CKEMON_PROCEED)
        }, context: Unmanaged.passUnretained(found).toOpaque()))
    #expect(Self.shapes[0].call(2, 3).value == 5)
    try hook.detach()
    #expect(found.frames == 1)
    #expect(found.returnAddress == UInt64(UInt(bitPattern: site) + 2))
  }
}
