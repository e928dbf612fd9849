// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Foundation
import Glibc
import KemonHooks
import KemonTestSupport
import Synchronization
import Testing

/// Libraries, processes and functions of the C library that hooks are in while they go or are needed.
@Suite(.serialized) struct HookLeavingTests {
  // MARK: Libraries that are unloaded

  typealias Answer = @convention(c) (Int) -> Int

  private func buildLibrary() throws -> (folder: ScratchFolder, path: String) {
    let folder = try ScratchFolder()
    let path = folder.file("library.so")
    let compiler = try #require(Command("cc"))
    let result = try compiler.run([
      "-O1", "-shared", "-fPIC", "-o", path, Checkout.fixture("HookPrograms/library.c").path,
    ])
    try #require(result.status == 0, "\(result.text)")
    return (folder, path)
  }

  @Test(.enabled(if: Command.exists("cc"), "there is no C compiler"))
  func `a hooked library stays until its hook is out, whoever closes it`() throws {
    let (folder, path) = try buildLibrary()
    defer { withExtendedLifetime(folder) {} }
    func isLoaded() -> Bool {
      guard let handle = dlopen(path, RTLD_NOLOAD | RTLD_LAZY) else { return false }
      dlclose(handle)
      return true
    }
    for _ in 0..<3 {
      let library = try #require(dlopen(path, RTLD_NOW | RTLD_LOCAL))
      let address = try #require(dlsym(library, "library_answer"))
      let answer = unsafeBitCast(address, to: Answer.self)
      let probe = Probe(addend: 100)
      let hook = try HookEngine.attach(entry: address, handlers: probe.handlers)
      dlclose(library)
      #expect(isLoaded())
      #expect(answer(3) == 107)
      #expect(probe.postCount == 1)
      try hook.detach()
      #expect(!isLoaded())
      try hook.detach()
    }
  }

  @Test(.enabled(if: Command.exists("cc"), "there is no C compiler"))
  func `a replaced function's library stays as long as it is replaced`() throws {
    let (folder, path) = try buildLibrary()
    defer { withExtendedLifetime(folder) {} }
    let library = try #require(dlopen(path, RTLD_NOW | RTLD_LOCAL))
    let address = try #require(dlsym(library, "library_answer"))
    let answer = unsafeBitCast(address, to: Answer.self)
    let detour: Answer = { -$0 }
    let replacement = try HookEngine.replace(
      entry: address, with: unsafeBitCast(detour, to: UnsafeRawPointer.self))
    dlclose(library)
    #expect(answer(3) == -3)
    let original = try #require(UnsafeRawPointer(bitPattern: replacement.original))
    #expect(unsafeBitCast(original, to: Answer.self)(3) == 7)
    try replacement.restore()
    #expect(dlopen(path, RTLD_NOLOAD | RTLD_LAZY) == nil)
  }

  @Test(.enabled(if: Command.exists("cc"), "there is no C compiler"))
  func `a hook whose library is gone anyway is taken out without touching what is there now`()
    async
  {
    await #expect(processExitsWith: .success) {
      let (folder, path) = try HookLeavingTests().buildLibrary()
      defer { withExtendedLifetime(folder) {} }
      // Another namespace: the engine can not keep its libraries.
      let library = try #require(fixture_open_apart(path))
      let address = try #require(dlsym(library, "library_answer"))
      let hook = try HookEngine.attach(entry: address, handlers: HookHandlers())
      dlclose(library)
      do throws(HookError) {
        try hook.detach()
      } catch {
        #expect(error.code == .notCode || error.code == .changed, "\(error)")
      }
    }
  }

  // MARK: Forked processes

  @Test(.enabled(if: !Sanitizer.isThere, "sanitizers do not follow forks of several threads"))
  func `a child has the hooks of its parent, and takes them out for itself`() throws {
    final class State: Sendable {
      let probe = Probe(addend: 1)
      let hook: Hook
      init() throws {
        hook = try HookEngine.attach(
          entry: try fixture("fixture_forked"), handlers: probe.handlers)
      }
    }
    let state = try State()
    let code = fixture_in_child(
      { context in
        guard let context else { return 1 }
        let state = Unmanaged<State>.fromOpaque(context).takeUnretainedValue()
        guard fixture_forked(2) == 7, state.probe.postCount == 1 else { return 2 }
        guard (try? state.hook.detach()) != nil, fixture_forked(2) == 6 else { return 3 }
        let again = Probe(addend: 5)
        guard let address = fixture_address("fixture_forked"),
          let hook = try? HookEngine.attach(entry: address, handlers: again.handlers)
        else { return 4 }
        guard fixture_forked(2) == 11, (try? hook.detach()) != nil else { return 5 }
        return fixture_forked(2) == 6 ? 0 : 6
      }, Unmanaged.passUnretained(state).toOpaque(), 30)
    #expect(code == 0)
    #expect(state.probe.postCount == 0, "the child's calls are the child's")
    #expect(fixture_forked(2) == 7)
    try state.hook.detach()
    #expect(fixture_forked(2) == 6)
  }

  @Test(.enabled(if: !Sanitizer.isThere, "sanitizers do not follow forks of several threads"))
  func `a child does not wait for calls of threads that it has not`() throws {
    final class State: @unchecked Sendable {
      let words = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
      let hook: Hook
      init() throws {
        words.initialize(repeating: 0, count: 2)
        hook = try HookEngine.attach(
          entry: try fixture("fixture_forked_waits"), handlers: HookHandlers(post: { _, _ in }))
      }
      deinit { words.deallocate() }
      func word(_ index: Int) -> UnsafeMutablePointer<Atomic<Int32>> {
        UnsafeMutableRawPointer(words + index).assumingMemoryBound(to: Atomic<Int32>.self)
      }
    }
    let state = try State()
    let code = Counter()
    onThreads(2) { role in
      if role == 0 {
        fixture_forked_waits(state.words, state.words + 1)
        return
      }
      while state.word(1).pointee.load(ordering: .sequentiallyConsistent) == 0 {
        sleepMilliseconds(1)
      }
      let status = fixture_in_child(
        { context in
          guard let context else { return 1 }
          let state = Unmanaged<State>.fromOpaque(context).takeUnretainedValue()
          guard state.hook.callsInFlight == 0 else { return 2 }
          return (try? state.hook.detach()) == nil ? 3 : 42
        }, Unmanaged.passUnretained(state).toOpaque(), 30)
      if status == 42 { code.add() }
      state.word(0).pointee.store(1, ordering: .sequentiallyConsistent)
    }
    #expect(code.value == 1)
    try state.hook.detach()
  }

  @Test(.enabled(if: !Sanitizer.isThere, "sanitizers do not follow forks of several threads"))
  func `a child never finds the engine in the hands of a thread that it has not`() throws {
    nonisolated(unsafe) let address = try fixture("fixture_forked_engine")
    let failed = Counter()
    let done = Counter()
    onThreads(2) { role in
      if role == 0 {
        for _ in 0..<40 {
          let code = fixture_in_child(
            { _ in
              guard let address = fixture_address("fixture_forked_engine"),
                let hook = try? HookEngine.attach(entry: address, handlers: HookHandlers())
              else { return 1 }
              return (try? hook.detach()) == nil ? 2 : 42
            }, nil, 30)
          if code != 42 { failed.add() }
        }
        done.add()
      } else {
        while done.value == 0 {
          do {
            try HookEngine.attach(
              entry: address, HookOptions(safety: .quiescent), handlers: HookHandlers()
            ).detach()
          } catch {
            Issue.record(error)
          }
        }
      }
    }
    #expect(failed.value == 0)
  }

  // MARK: Functions of the C library

  @Test(
    .enabled(if: !Sanitizer.isThere, "sanitizers take the place of these functions"),
    arguments: ["strlen", "memmove", "strchr"])
  func `an indirect function is hooked as what was chosen for the processor`(
    _ name: String
  ) async {
    await #expect(processExitsWith: .success) { [name] in
      let resolved = try #require(dlsym(nil, name))
      do throws(HookError) {
        let probe = Probe()
        let hook = try HookEngine.attach(
          symbol: name, in: "libc.so.6", handlers: probe.handlers)
        let end = hook.address &- UInt(bitPattern: resolved)
        #expect(end <= 4, "the hook is in the chosen function, behind its landing pad")
        let text = strdup("some text")
        let length: @convention(c) (UnsafePointer<CChar>?, Int32, Int) -> Int = unsafeBitCast(
          resolved, to: (@convention(c) (UnsafePointer<CChar>?, Int32, Int) -> Int).self)
        if name == "strlen" { #expect(length(text, 0, 0) == 9) } else { _ = length(text, 0, 0) }
        try hook.detach()
        #expect(probe.postCount >= 1)
        free(text)
      } catch {
        // memmove may be jumped into by another function.
        #expect(error.code == .branchIntoWindow, "\(error)")
      }
    }
  }

  @Test(arguments: ["time", "gettimeofday"])
  func `an indirect function that the kernel answers is refused`(_ name: String) throws {
    do throws(HookError) {
      try HookEngine.attach(symbol: name, in: "libc.so.6", handlers: HookHandlers()).detach()
    } catch {
      #expect(error.code == .notCode)
      #expect(error.message.contains("kernel"))
    }
  }

  /// Functions that everything uses, the engine included; in a process of their own.
  @Test(
    .enabled(if: !Sanitizer.isThere, "sanitizers take the place of these functions"),
    arguments: ["malloc", "free", "memcpy", "pthread_mutex_lock", "write"])
  func `what the engine itself uses is hooked while threads use it`(_ name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      let probe = BareCounts()
      let hooked = Counter()
      let done = Counter()
      onThreads(4) { role in
        if role == 0 {
          for _ in 0..<20 {
            do throws(HookError) {
              let hook = try HookEngine.attach(
                symbol: name, in: "libc.so.6", handlers: probe.handlers)
              hooked.add()
              if fixture_uses_library(50) != 1 { Issue.record("a wrong result") }
              try hook.detach()
            } catch {
              // A memcpy that another function jumps into; threads of a busy machine that can not be stopped in time.
              let isRight = error.code == .branchIntoWindow || error.code == .busy
              #expect(isRight, "\(error)")
            }
          }
          done.add()
        } else {
          repeat {
            if fixture_uses_library(20) != 1 { Issue.record("a wrong result") }
          } while done.value == 0
        }
      }
      #expect((probe.before > 0) == (hooked.value > 0))
      #expect(hooked.value > 0 || name == "memcpy")
      #expect(probe.before == probe.after)
    }
  }

  @Test(.enabled(if: !Sanitizer.isThere, "sanitizers take the place of malloc"))
  func `a handler of malloc may ask for memory, and that is counted`() async {
    await #expect(processExitsWith: .success) {
      let hook = try HookEngine.attach(
        symbol: "malloc", in: "libc.so.6",
        handlers: HookHandlers(
          pre: { _, _ in
            free(malloc(24))
            return Int32(CKEMON_PROCEED)
          }))
      #expect(fixture_uses_library(100) == 1)
      let suppressed = hook.suppressedCalls
      try hook.detach()
      #expect(suppressed >= 100)
    }
  }

  // MARK: Deep stacks

  @Test(.enabled(if: !Sanitizer.isRaceDetector, "a race detector can not count so many calls"))
  func `ten thousand calls inside each other each have their post`() throws {
    let probe = Probe()
    let hook = try HookEngine.attach(entry: try fixture("fixture_deep"), handlers: probe.handlers)
    #expect(fixture_deep_on_thread(10_000, 64) == 10_000)
    try hook.detach()
    #expect(probe.preCount == 10_001)
    #expect(probe.postCount == 10_001)
  }
}

/// Counts in a handler that calls nothing at all.
final class BareCounts: Sendable {
  private let pre = Atomic<Int>(0)
  private let post = Atomic<Int>(0)
  var before: Int { pre.load(ordering: .sequentiallyConsistent) }
  var after: Int { post.load(ordering: .sequentiallyConsistent) }

  var handlers: HookHandlers {
    HookHandlers(
      pre: { context, _ in
        guard let context else { return Int32(CKEMON_PROCEED) }
        Unmanaged<BareCounts>.fromOpaque(context)._withUnsafeGuaranteedRef {
          _ = $0.pre.add(1, ordering: .relaxed)
        }
        return Int32(CKEMON_PROCEED)
      },
      post: { context, _ in
        guard let context else { return }
        Unmanaged<BareCounts>.fromOpaque(context)._withUnsafeGuaranteedRef {
          _ = $0.post.add(1, ordering: .relaxed)
        }
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }
}
