// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CHookFixtures
  import Testing

  @testable import KemonHooks

  /// No page is ever writable and executable, whatever is put in.
  @Suite(.serialized) struct WritableCodeTests {
    @Test func `hooks of every kind are put in and taken out while the mappings are watched`()
      throws
    {
      nonisolated(unsafe) let entry = try fixture("fixture_add_watched")
      nonisolated(unsafe) let loop = try fixture("fixture_watched_loop")
      var count = 0
      nonisolated(unsafe) let site = try #require(
        UnsafeBufferPointer(start: call_shapes(&count), count: count)
          .first { String(cString: $0.name) == "direct_watched" }?.site)
      let prototype = try DynamicPrototype("i64(i64,i64,i64,i64,i64,i64)")
      let done = Counter()
      let samples = Counter()
      let cycles = Counter()
      onThreads(3) { role in
        switch role {
        case 0:
          do {
            // Again and again the same places, and closures, which are new ones each time.
            for _ in 0..<40 {
              var transaction = HookTransaction()
              transaction.attach(entry: entry, handlers: HookHandlers(post: { _, _ in }))
              transaction.attach(
                entry: loop, HookOptions(safety: .quiescent), handlers: HookHandlers())
              transaction.attach(callSite: site, handlers: HookHandlers())
              for hook in try transaction.commit().hooks { try hook.detach() }
              try HookEngine.attach(entry: entry, prototype: prototype, post: { _ in }).detach()
              try HookEngine.replace(entry: entry, prototype: prototype) { $0.callOriginal() }
                .restore()
              cycles.add()
            }
          } catch {
            Issue.record(error)
          }
          done.add()
        case 1:
          while done.value == 0 {
            if fixture_add_watched(1, 2, 3, 4, 5, 6) != 21 { Issue.record("a wrong result") }
          }
        default:
          repeat {
            guard let map = try? MemoryMap() else {
              Issue.record("no map")
              break
            }
            for region in map.regions where region.isWritable && region.isExecutable {
              Issue.record("\(region)")
            }
            samples.add()
          } while done.value == 0
        }
      }
      #expect(cycles.value == 40)
      #expect(samples.value > 1)
    }
  }
#endif
