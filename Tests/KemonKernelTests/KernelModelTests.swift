// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonHooks
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct KernelModelTests {
    private let monitor = "com.mandiant.monitor"
    private let path = "/Applications/Monitor.app/Contents/PlugIns/monitor.kext"

    private func outcome(
      _ id: String, _ result: KextReturn, startStatus: Int32?, bodyRuns: Int
    ) -> String {
      "\(id): \(result), status \(startStatus.map(String.init) ?? "-"), ran \(bodyRuns)"
    }

    private func outcomes(_ result: SessionResult) -> [String] {
      result.kexts.map {
        outcome($0.id, $0.result, startStatus: $0.startStatus, bodyRuns: $0.bodyRuns)
      }
    }

    @Test func `Kext monitor: an allowed kext is started, and seen before and after`() throws {
      let (result, seen) = try play(.mandiantMonitor)
      #expect(
        outcomes(result) == [
          outcome(monitor, .success, startStatus: 0, bodyRuns: 1)
        ])
      #expect(seen.map(\.kind) == ["hook.attach", "kext.start", "kext.start"])
      let (pre, post) = (seen[1], seen[2])
      #expect(pre.phase == .pre)
      #expect(pre.name == monitor)
      #expect(pre.version == "0.9.2")
      #expect(pre.path == path)
      #expect(pre.base == 0xffff_ff7f_8e0c_d000)
      #expect(pre.size == 0x16000)
      #expect(post.phase == .post)
      #expect(post.path.isEmpty)
      #expect(post.status == 0)
      #expect(post.result == 0)
      #expect(pre.corr != 0)
      #expect(pre.corr == post.corr)
      for record in seen {
        #expect(record.pid == 59)
        #expect(record.ppid == 1)
        #expect(record.uid == 0)
        #expect(record.comm == "kextd")
        #expect(record.parent == "launchd")
      }
    }

    @Test func `Kext block: a denied kext never runs, and fails as in the talk`() throws {
      let (result, seen) = try play(.mandiantMonitor, Rules(denied: [monitor: 1]))
      #expect(
        outcomes(result) == [
          outcome(monitor, .startStopError, startStatus: 5, bodyRuns: 0)
        ])
      #expect(
        seen.map(\.description) == [
          "hook.attach \(monitor)",
          "pre \(monitor) 0",
          "post \(monitor) 5",
          "kernel: Kext \(monitor) start failed (result 0x5).",
          "kernel: Kext \(monitor) failed to load (0xdc008017).",
          "kernel: Failed to load kext \(monitor) (error 0xdc008017).",
          "kextd: Failed to load \(path) - (libkern/kext) kext (kmod) start/stop routine failed.",
        ])
      #expect(seen[1].verdict == .deny)
      #expect(seen[2].result == 1)
      #expect(seen[1].corr == seen[2].corr)
    }

    @Test func `Function location: the hook's listing is that of the talk`() throws {
      let (_, seen) = try play(.mandiantMonitor)
      #expect(seen[0].name == "OSKext::start")
      #expect(seen[0].source == monitor)
      #expect(
        seen[0].text == """
          (02) ffd3 CALL RBX
          (02) 89c3 MOV EBX, EAX
          (02) 85db TEST EBX, EBX
          """)
    }

    @Test func `kexts that nobody keeps leave no hooks behind`() throws {
      let records = KernelRecords(dispatcher: Dispatcher(ring: EventRing()))
      // The hooks are exclusive: those of the first would be in the way of the second.
      for _ in 0..<2 { _ = try Kexts(release: .macOS10_13_6, records: records) }
    }

    @Test(arguments: KernelRelease.all)
    func `Generic pre/post hook: every release allows, denies and obeys a replaced status`(
      _ release: KernelRelease
    ) throws {
      let kexts = [kext("good"), kext("bad"), kext("lied"), kext("broken", status: 0x1f)]
      let session = try session(kexts.joined(separator: ","), release: release.name)
      let rules = Rules(denied: ["bad": 13], replaced: ["lied": 12, "broken": 0])
      let (result, seen) = try play(session, rules)
      #expect(
        outcomes(result) == [
          outcome("good", .success, startStatus: 0, bodyRuns: 1),
          outcome("bad", .startStopError, startStatus: 5, bodyRuns: 0),
          outcome("lied", .startStopError, startStatus: 12, bodyRuns: 1),
          outcome("broken", .success, startStatus: 0, bodyRuns: 1),
        ])
      let starts = seen.filter { $0.kind == "kext.start" }
      #expect(
        starts.map(\.description) == [
          "pre good 0", "post good 0", "pre bad 0", "post bad 5", "pre lied 0", "post lied 0",
          "pre broken 0", "post broken 31",
        ])
      #expect(starts.map(\.path).filter { !$0.isEmpty }.count == 4)
      #expect(starts[7].result == 5, "a routine that fails on its own: EIO")
      #expect(seen.filter { $0.kind == "hook.attach" }.count == 1)
      let first = try #require(seen.first)
      #expect(first.text.hasPrefix(release.callShape == .rbx ? "(02) ffd3" : "(03) ff55"))
    }

    @Test func `a denied kext can be let in by the post handler`() throws {
      let rules = Rules(denied: [monitor: 1], replaced: [monitor: 0])
      let (result, _) = try play(.mandiantMonitor, rules)
      #expect(
        outcomes(result) == [outcome(monitor, .success, startStatus: 0, bodyRuns: 0)])
    }

    @Test func `dependencies are loaded first, each once`() throws {
      let kexts = [
        kext("top", needs: ["left": "1.0", "right": "1.0"]), kext("left", needs: ["base": "1.0"]),
        kext("right", needs: ["base": "1.0", "kpi": "1.0"]), kext("base"),
        kext("kpi", executable: false),
      ]
      let (result, seen) = try play(
        try session(kexts.joined(separator: ","), load: #"["top", "left"]"#))
      #expect(
        seen.filter { $0.phase == .pre }.map(\.name) == ["base", "left", "right", "top"])
      #expect(result.kexts.allSatisfy { $0.isLoaded })
      #expect(result["kpi"]?.bodyRuns == 0)
      #expect(result["kpi"]?.startStatus == nil)
      #expect(result["base"]?.bodyRuns == 1)
    }

    @Test func `the dependants of a denied kext fail, the others load`() throws {
      let kexts = [
        kext("family"), kext("driver", needs: ["family": "1.0"]),
        kext("app", needs: ["driver": "1.0"]), kext("other"),
      ]
      let (result, seen) = try play(
        try session(kexts.joined(separator: ","), load: #"["app", "other"]"#),
        Rules(denied: ["family": 1]))
      #expect(result["family"]?.result == .startStopError)
      #expect(result["driver"]?.result == .dependencyLoadError)
      #expect(result["app"]?.result == .dependencyLoadError)
      #expect(result["app"]?.result.rawValue == 0xdc00_8015)
      #expect(result["other"]?.isLoaded == true)
      #expect(result.kexts.map(\.bodyRuns) == [0, 0, 0, 1])
      #expect(
        seen.map(\.description) == [
          "hook.attach family", "pre family 0", "post family 5",
          "kernel: Kext family start failed (result 0x5).",
          "kernel: Kext family failed to load (0xdc008017).",
          "kernel: Dependency family of kext driver failed to load.",
          "kernel: Kext driver failed to load (0xdc008015).",
          "kernel: Dependency driver of kext app failed to load.",
          "kernel: Kext app failed to load (0xdc008015).",
          "kernel: Failed to load kext app (error 0xdc008015).",
          "kextd: Failed to load /Library/Extensions/app.kext - "
            + "(libkern/kext) dependency load failed.",
          "pre other 0", "post other 0",
        ])
    }

    @Test func `a missing or old library is refused before anything starts`() throws {
      let kexts = [
        kext("lonely", needs: ["nowhere": "1.0"]), kext("newer", needs: ["base": "2.0"]),
        kext("base", version: "1.9.9"), kext("over", needs: ["lonely": "1.0"]),
      ]
      let (result, seen) = try play(
        try session(kexts.joined(separator: ","), load: #"["lonely", "newer", "over"]"#))
      #expect(result.kexts.map(\.result) == [.dependencies, .dependencies, .dependencies])
      #expect(result["base"] == nil)
      #expect(!seen.contains { $0.kind == "kext.start" })
      let lines = seen.map(\.text)
      #expect(lines.contains("Kext lonely - library kext nowhere not found."))
      #expect(lines.contains("Can't load kext lonely - failed to resolve library dependencies."))
      #expect(
        lines.contains(
          "Kext newer - library kext base not compatible with requested version 2.0."))
      #expect(lines.contains("Kext over failed to load (0xdc00800e)."))
    }

    @Test func `a kext that failed is tried again when it is asked for again`() throws {
      let (result, seen) = try play(
        try session(kext("a", status: 3), load: #"["a", "a"]"#))
      #expect(result["a"]?.bodyRuns == 2)
      #expect(seen.filter { $0.phase == .pre }.map(\.corr).count == 2)
      #expect(Set(seen.filter { $0.kind == "kext.start" }.map(\.corr)).count == 2)
    }

    @Test func `one model at a time can be a release`() throws {
      let dispatcher = Dispatcher(ring: EventRing())
      let first = try KernelModel(dispatcher: dispatcher)
      let error = try #require(throws: KernelError.self) { try KernelModel(dispatcher: dispatcher) }
      #expect(error.code == .imageInUse)
      #expect(error.underlying?.code == .alreadyHooked)
      let other = try #require(KernelRelease.named("10.15"))
      let second = try KernelModel(release: other, dispatcher: dispatcher)
      try second.close()
      try first.close()
      try KernelModel(dispatcher: dispatcher).close()
    }

    @Test func `a kext that can not be watched is not started`() throws {
      let ring = EventRing()
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let model = try KernelModel(dispatcher: Dispatcher(ring: ring))
      let start = try OSKextStart(.macOS10_13_6)
      let site = try #require(UnsafeRawPointer(bitPattern: start.callSite))
      // Somebody else is first at the call.
      let foreign = try HookEngine.attach(
        callSite: site, HookOptions(safety: .quiescent),
        handlers: HookHandlers(pre: { _, frame in
          frame.pointee.result = 99
          return Int32(CKEMON_SKIP)
        }))
      let error = try #require(throws: KernelError.self) { try model.run(.mandiantMonitor) }
      #expect(error.underlying?.code == .alreadyHooked)
      let seen = drain(subscription)
      #expect(
        seen.map(\.text).prefix(1) == ["Kext \(monitor) start failed (result 0xdc008001)."])
      #expect(!seen.contains { $0.kind == "kext.start" })
      try foreign.detach()
      #expect(try model.run(.mandiantMonitor)[monitor]?.isLoaded == true)
      try model.close()
    }

    @Test func `sessions of two threads wait for each other`() throws {
      let ring = EventRing()
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let model = try KernelModel(dispatcher: Dispatcher(ring: ring))
      let threads = (0..<4).map { _ in
        Thread {
          for _ in 0..<20 {
            let result = try? model.run(.mandiantMonitor)
            #expect(result?.kexts.map(\.bodyRuns) == [1])
          }
        }
      }
      let waiting = threads.map { thread in
        thread.start()
        return thread
      }
      while waiting.contains(where: { !$0.isFinished }) { usleep(1000) }
      try model.close()
      let starts = drain(subscription).filter { $0.kind == "kext.start" }
      #expect(starts.count == 160)
      for pair in stride(from: 0, to: starts.count - 1, by: 2) {
        #expect(starts[pair].corr == starts[pair + 1].corr)
        #expect(starts[pair].phase == .pre)
      }
    }

    @Test func `a model takes its hooks along when it goes`() throws {
      let dispatcher = Dispatcher(ring: EventRing())
      for _ in 0..<3 {
        let model = try KernelModel(dispatcher: dispatcher)
        #expect(try model.run(.mandiantMonitor)[monitor]?.isLoaded == true)
      }
    }

    @Test func `a session of another release is refused`() throws {
      let release = try #require(KernelRelease.named("10.15"))
      let model = try KernelModel(release: release, dispatcher: Dispatcher(ring: EventRing()))
      let error = try #require(throws: KernelError.self) { try model.run(.mandiantMonitor) }
      #expect(error.code == .wrongRelease)
      try model.close()
    }

    @Test func `a closed model runs nothing`() throws {
      let model = try KernelModel(dispatcher: Dispatcher(ring: EventRing()))
      try model.close()
      try model.close()
      let error = try #require(throws: KernelError.self) { try model.run(.mandiantMonitor) }
      #expect(error.code == .closed)
    }

    @Test func `several sessions run one after another in one model`() throws {
      let ring = EventRing()
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let model = try KernelModel(dispatcher: Dispatcher(ring: ring))
      for _ in 0..<2 { #expect(try model.run(.mandiantMonitor)[monitor]?.isLoaded == true) }
      try model.close()
      let seen = drain(subscription)
      #expect(seen.map(\.kind) == ["hook.attach"] + repeatElement("kext.start", count: 4))
    }
  }
}
