// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import KemonTestSupport
  import Synchronization
  import Testing

  @testable import KemonHooks

  /// Prototypes at random, each compiled by the C compiler and called by code that it compiled: what handlers read is what
  /// was passed, and what they write arrives.
  @Suite(.serialized, .enabled(if: Command.exists("cc"), "there is no C compiler"))
  struct DynamicMatrixTests {
    private static let library = Result { () throws -> Shared in
      var random = RandomPrototypes()
      return Shared(try CompiledPrototypes((0..<1100).map { _ in try random.prototype() }))
    }

    /// Unchecked: the tests of the suite use it one after the other.
    private final class Shared: @unchecked Sendable {
      let library: CompiledPrototypes
      init(_ library: CompiledPrototypes) { self.library = library }
    }

    /// What one case passes and returns: as the program does, and as handlers change it.
    private struct Case: Sendable {
      let arguments, changed: [DynamicValue]
      let result, replaced: DynamicValue
    }

    /// What the handlers of a case saw, and what they shall do.
    private final class Watch: Sendable {
      enum Task: Sendable { case look, change, skip }

      struct State: Sendable {
        var task = Task.look
        var arguments: [DynamicValue] = []
        var before: [DynamicValue] = []
        var result = DynamicValue.void
        var pre = 0
        var post = 0
      }

      let state = Mutex(State())

      /// For a pre handler.
      func before(_ call: borrowing DynamicCall) -> Task {
        let arguments = Self.arguments(of: call)
        return state.withLock { state in
          state.before = arguments
          state.pre += 1
          return state.task
        }
      }

      /// For a post handler.
      func after(_ call: borrowing DynamicCall) {
        let arguments = Self.arguments(of: call)
        let result = call.returnedValue()
        state.withLock { state in
          state.arguments = arguments
          state.result = result
          state.post += 1
        }
      }

      private static func arguments(of call: borrowing DynamicCall) -> [DynamicValue] {
        call.prototype.arguments.indices.compactMap { try? call.argument($0) }
      }

      /// Begins a call in which the handlers do something else.
      func begin(_ task: Task) { state.withLock { $0 = State(task: task) } }

      var seen: State { state.withLock { $0 } }
    }

    private static func change(_ call: inout DynamicCall, _ values: [DynamicValue]) {
      for (index, value) in values.enumerated() {
        do { try call.setArgument(index, to: value) } catch { Issue.record(error) }
      }
    }

    private static func answer(_ call: inout DynamicCall, _ value: DynamicValue) {
      do { try call.setReturnedValue(value) } catch { Issue.record(error) }
    }

    /// Runs the body for every prototype, with values of its own.
    private func forEach(
      _ body: (CompiledPrototypes, Int, Case) throws -> Void
    ) throws {
      let library = try Self.library.get().library
      var random = RandomPrototypes()
      for (index, prototype) in library.prototypes.enumerated() {
        let item = Case(
          arguments: random.arguments(of: prototype), changed: random.arguments(of: prototype),
          result: random.value(of: prototype.result), replaced: random.value(of: prototype.result))
        try library.give(item.result, from: index)
        try body(library, index, item)
      }
    }

    /// Calls as compiled code does, and compares.
    private func expect(
      _ library: CompiledPrototypes, _ index: Int, passing arguments: [DynamicValue],
      seen: [DynamicValue]?, got: DynamicValue
    ) throws {
      try library.call(index, arguments)
      let prototype = library.prototypes[index]
      #expect(library.callCount == (seen == nil ? 0 : 1), "\(prototype)")
      if let seen { #expect(library.seen(by: index) == seen, "\(prototype)") }
      #expect(library.got(by: index) == got, "\(prototype)")
    }

    /// Returns nil for a function with more stack arguments than a hook with a post handler passes on.
    private func attach(
      _ library: CompiledPrototypes, _ index: Int, pre: DynamicHook.Pre? = nil,
      post: DynamicHook.Post? = nil
    ) throws -> DynamicHook? {
      let prototype = library.prototypes[index]
      let function = try library.function(index)
      do throws(HookError) {
        return try HookEngine.attach(
          entry: function, prototype: prototype,
          HookOptions(safety: .quiescent), pre: pre, post: post)
      } catch {
        guard error.code == .unsupportedPrototype else { throw error }
        #expect(CallLayout(prototype).stackWords > 24)
        return nil
      }
    }

    @Test func `prototypes of all kinds are among them, and are read as they are written`() throws {
      let prototypes = try Self.library.get().library.prototypes
      #expect(prototypes.count >= 1000)
      for prototype in prototypes {
        #expect(try DynamicPrototype(prototype.description) == prototype)
      }
      #expect(prototypes.contains { $0.fixedCount != nil })
      #expect(prototypes.contains { $0.arguments.count > 14 })
      #expect(prototypes.contains { $0.result == .longDouble })
      #expect(prototypes.contains { $0.result == .structure([.longDouble]) })
    }

    @Test func `compiled callers and libffi pass the same`() throws {
      try forEach { library, index, item in
        try expect(library, index, passing: item.arguments, seen: item.arguments, got: item.result)
        let prototype = library.prototypes[index]
        let function = try DynamicFunction(at: library.function(index), prototype: prototype)
        #expect(try function(item.changed) == item.result, "\(prototype)")
        #expect(library.seen(by: index) == item.changed, "\(prototype)")
        #expect(library.callCount == 1)
      }
    }

    @Test func `handlers see everything, and what they change arrives`() throws {
      var hooked = 0
      try forEach { library, index, item in
        let prototype = library.prototypes[index]
        let watch = Watch()
        let attached = try attach(
          library, index,
          pre: { call in
            switch watch.before(call) {
            case .look: return .proceed
            case .change:
              Self.change(&call, item.changed)
              return .proceed
            case .skip:
              Self.answer(&call, item.replaced)
              return .skip
            }
          },
          post: { call in
            watch.after(call)
            if watch.seen.task == .change { Self.answer(&call, item.replaced) }
          })
        guard let hook = attached else { return }
        hooked += 1
        try expect(library, index, passing: item.arguments, seen: item.arguments, got: item.result)
        #expect(watch.seen.before == item.arguments, "\(prototype)")
        #expect(watch.seen.arguments == item.arguments, "\(prototype)")
        #expect(watch.seen.result == item.result, "\(prototype)")
        #expect(watch.seen.pre == 1 && watch.seen.post == 1)

        watch.begin(.change)
        try expect(library, index, passing: item.arguments, seen: item.changed, got: item.replaced)
        #expect(watch.seen.before == item.arguments, "\(prototype)")
        #expect(watch.seen.arguments == item.changed, "\(prototype)")
        #expect(watch.seen.result == item.result, "\(prototype)")

        watch.begin(.skip)
        try expect(library, index, passing: item.arguments, seen: nil, got: item.replaced)
        #expect(watch.seen.result == item.replaced, "\(prototype)")

        try hook.detach()
        watch.begin(.look)
        try expect(library, index, passing: item.changed, seen: item.changed, got: item.result)
        #expect(watch.seen.pre == 0 && watch.seen.post == 0)
      }
      #expect(hooked >= 1000)
    }

    @Test func `a function that takes the place of another calls it as it was`() throws {
      try forEach { library, index, item in
        let watch = Watch()
        let replacement = try HookEngine.replace(
          entry: try library.function(index), prototype: library.prototypes[index],
          HookOptions(safety: .quiescent)
        ) { call in
          _ = watch.before(call)
          Self.change(&call, item.changed)
          call.callOriginal()
          watch.after(call)
          Self.answer(&call, item.replaced)
        }
        try expect(library, index, passing: item.arguments, seen: item.changed, got: item.replaced)
        try replacement.restore()
        #expect(watch.seen.before == item.arguments, "\(library.prototypes[index])")
        #expect(watch.seen.result == item.result, "\(library.prototypes[index])")
        try expect(library, index, passing: item.arguments, seen: item.arguments, got: item.result)
      }
    }
  }
#endif
