// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CHookFixtures
  import CXXHookFixtures
  import Glibc
  import Synchronization
  import KemonTestSupport
  import Testing

  @testable import KemonHooks

  @Suite(.serialized) struct DynamicHookTests {
    private static let add = "i64(i64,i64,i64,i64,i64,i64)"

    @Test func `handlers that do not fit are told so, and nothing changes`() throws {
      let errors = Mutex<[PrototypeError.Code]>([])
      let hook = try HookEngine.attach(
        entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add),
        pre: { call in
          let attempts: [(Int, DynamicValue)] = [
            (6, .signed(1)), (-1, .signed(1)), (0, .double(1)), (0, .unsigned(1)),
            (0, .structure([])),
          ]
          func note(_ body: () throws(PrototypeError) -> Void) {
            do throws(PrototypeError) { try body() } catch {
              errors.withLock { $0.append(error.code) }
            }
          }
          for (index, value) in attempts {
            note { () throws(PrototypeError) in try call.setArgument(index, to: value) }
          }
          note { () throws(PrototypeError) in _ = try call.argument(6) }
          note { () throws(PrototypeError) in try call.setReturnedValue(.void) }
          return .proceed
        })
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
      try hook.detach()
      #expect(
        errors.withLock { $0 } == [
          .noSuchArgument, .noSuchArgument, .wrongValue, .wrongValue, .wrongValue,
          .noSuchArgument, .wrongValue,
        ])
    }

    @Test func `a number that a type can not hold is refused`() throws {
      let place = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
      defer { place.deallocate() }
      let wrong: [(HookType, DynamicValue)] = [
        (.i8, .signed(128)), (.i8, .signed(-129)), (.u8, .unsigned(256)), (.i16, .signed(1 << 15)),
        (.u16, .unsigned(1 << 16)), (.i32, .signed(1 << 31)), (.u32, .unsigned(1 << 32)),
      ]
      for (type, value) in wrong {
        let error = try #require(throws: PrototypeError.self) {
          try value.store(as: .scalar(type), at: place)
        }
        #expect(error.code == .wrongValue)
        #expect(error.message.contains(type.rawValue))
      }
      try DynamicValue.signed(-128).store(as: .scalar(.i8), at: place)
      #expect(DynamicValue(.scalar(.i8), at: place) == .signed(-128))
    }

    @Test func `a pre handler may call the function itself, and leave it out then`() throws {
      let hook = try HookEngine.attach(
        entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add),
        pre: { call in
          call.callOriginal()
          guard case .signed(let sum) = call.returnedValue() else { return .proceed }
          do { try call.setReturnedValue(.signed(2 * sum)) } catch { Issue.record(error) }
          return .skip
        })
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 42)
      #expect(
        hook.hook.suppressedCalls == 0, "the original is called as it was, not through the hook")
      try hook.detach()
    }

    @Test func `what handlers hold is let go when the hook is out`() throws {
      final class Held: Sendable {}
      weak var weakly: Held?
      let hook: DynamicHook
      do {
        let held = Held()
        weakly = held
        hook = try HookEngine.attach(
          entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add),
          post: { _ in withExtendedLifetime(held) {} })
      }
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
      #expect(weakly != nil)
      try hook.detach()
      try hook.detach()
      #expect(weakly == nil)
      withExtendedLifetime(hook) {}
    }

    @Test func `post learns that an exception left the function`() throws {
      let endings = Mutex<[DynamicCall.Ending]>([])
      let hook = try HookEngine.attach(
        entry: try #require(fixture_throws_dynamic_address()),
        prototype: try DynamicPrototype("i64(i64)"),
        post: { call in
          let ending = call.ending
          endings.withLock { $0.append(ending) }
        })
      #expect(fixture_catches_dynamic(2) == 3)
      try hook.detach()
      #expect(endings.withLock { $0 } == [.unwound, .unwound])
    }

    @Test func `dynamic, typed and plain hooks share a function`() throws {
      let probe = Probe(addend: 100)
      let plain = try HookEngine.attach(
        entry: try fixture("fixture_add_dynamic"), handlers: probe.handlers)
      let hook = try HookEngine.attach(
        entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add),
        pre: { call in
          do { try call.setArgument(5, to: .signed(7)) } catch { Issue.record(error) }
          return .proceed
        })
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 122)
      try plain.detach()
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 22)
      try hook.detach()
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
    }

    @Test(.enabled(if: !Sanitizer.isThere, "sanitizers take the place of calloc"))
    func `a function that hands out memory is hooked by handlers that want some`() throws {
      let sizes = Mutex<[DynamicValue]>([])
      let hook = try HookEngine.attach(
        symbol: "calloc", in: "libc.so.6", prototype: try DynamicPrototype("ptr(u64,u64)"),
        pre: { call in
          guard let size = try? call.argument(1), size == .unsigned(12_345) else { return .proceed }
          sizes.withLock { $0.append(size) }
          return .proceed
        })
      for _ in 0..<3 { free(calloc(1, 12_345)) }
      try hook.detach()
      #expect(sizes.withLock { $0 } == Array(repeating: .unsigned(12_345), count: 3))
    }

    @Test func `threads call a function that a handler has taken the place of`() throws {
      let wrong = Counter()
      let calls = Counter()
      let replacement = try HookEngine.replace(
        entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add)
      ) { call in
        calls.add()
        call.callOriginal()
        guard case .signed(let sum) = call.returnedValue() else { return }
        do { try call.setReturnedValue(.signed(-sum)) } catch { Issue.record(error) }
      }
      onThreads(4) { index in
        for number in 0..<500
        where fixture_add_dynamic(number, 1, 1, 1, 1, index) != -(number + 4 + index) {
          wrong.add()
        }
      }
      try replacement.restore()
      #expect(wrong.value == 0)
      #expect(calls.value == 2000)
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
    }

    @Test func `closures are in memory that is never writable and executable`() throws {
      let replacement = try HookEngine.replace(
        entry: try fixture("fixture_add_dynamic"), prototype: try DynamicPrototype(Self.add)
      ) { call in call.callOriginal() }
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
      for region in try MemoryMap().regions where region.isWritable && region.isExecutable {
        Issue.record("\(region)")
      }
      try replacement.restore()
    }

    @Test func `too many arguments for a post handler are refused, and nothing else`() throws {
      let words = Array(repeating: "i64", count: 31).joined(separator: ",")
      let prototype = try DynamicPrototype("i64(\(words))")
      let error = try #require(throws: HookError.self) {
        try HookEngine.attach(
          entry: try fixture("fixture_add_dynamic"), prototype: prototype, post: { _ in })
      }
      #expect(error.code == .unsupportedPrototype)
      #expect(error.message.contains("25 words"))
      let hook = try HookEngine.attach(
        entry: try fixture("fixture_add_dynamic"), prototype: prototype, pre: { _ in .proceed })
      #expect(fixture_add_dynamic(1, 2, 3, 4, 5, 6) == 21)
      try hook.detach()
    }
  }
#endif
