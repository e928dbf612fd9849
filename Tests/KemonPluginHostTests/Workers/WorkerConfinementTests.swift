// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// What a plugin can reach from a worker: it tries.
@Suite(.enabled(if: !Sanitizer.isThere, "sanitizers need what a worker gives up"))
struct WorkerConfinementTests {
  /// Loads the plugin that tries everything, and returns what it could do.
  private func reach(_ capabilities: String) throws -> Set<String> {
    let test = try TestHost()
    let manifest =
      #"{\"name\": \"reach\", \"version\": \"1.0.0\", \"abi\": 1, \"capabilities\": [\#(capabilities)]}"#
    try test.folder.copy(Fixtures.build("reach", ["-DMANIFEST=\"\(manifest)\""]), to: "reach.so")
    let report = test.load(isolate: .all)
    #expect(report.problems.isEmpty)
    let confinement = report.loaded.first?.worker?.confinement
    test.host.stop()
    #expect(confinement?.contains("system calls") == true)
    let lines = test.collector.text.split(separator: "\n")
    #expect(lines.count == 16, "\(test.collector.logged)")
    return Set(lines.filter { $0.hasSuffix(": yes") }.map { String($0.dropLast(5)) })
  }

  @Test func `it has threads and libraries, and nothing else`() throws {
    #expect(try reach("") == ["a thread", "a library"])
  }

  @Test func `the capability net gives sockets, and nothing else`() throws {
    #expect(try reach(#"\"net\""#) == ["a thread", "a library", "a socket"])
  }

  @Test func `the capability to write gives no way into the host's page`() throws {
    #expect(!(try reach(#"\"fs.data\""#).contains("the page of its host")))
  }

  @Test func `a capability that nobody knows is refused`() throws {
    let test = try TestHost()
    let manifest =
      #"{\"name\": \"reach\", \"version\": \"1.0.0\", \"abi\": 1, \"capabilities\": [\"root\"]}"#
    try test.folder.copy(Fixtures.build("reach", ["-DMANIFEST=\"\(manifest)\""]), to: "reach.so")
    #expect(test.load().problems.map(\.rule) == [.manifestList])
  }
}
