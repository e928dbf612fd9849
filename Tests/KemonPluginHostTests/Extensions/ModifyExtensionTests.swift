// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct ModifyExtensionTests {
  private func create(_ mode: UInt32, on test: TestHost) -> (Verdict, UInt32?) {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_CREATE_PRE))
    builder.setPayload(
      kemon_file(dev: 0, ino: 0, flags: 0, mode: mode, path: builder.text("/tmp/x")))
    let verdict = test.dispatcher.dispatch(&builder)
    return (verdict, builder.view.payload(as: kemon_file.self)?.mode)
  }

  private func host(_ plugins: [[String]]) throws -> TestHost {
    let test = try TestHost()
    for (index, flags) in plugins.enumerated() {
      try test.folder.copy(Fixtures.build("modifying", flags), to: "\(index).so")
    }
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  @Test func `a plugin changes a field that its manifest names`() throws {
    let test = try host([[]])
    let (verdict, mode) = create(0o644, on: test)
    #expect(verdict.isPatched)
    #expect(mode == 0o600)
    #expect(test.collector.lines == ["modifying again with mode 384"])
    #expect(!create(0o600, on: test).0.isPatched)
    test.host.stop()
  }

  @Test func `what may not be changed is refused`() throws {
    let test = try host([[]])
    #expect(create(0, on: test).1 == 1)
    #expect(
      test.collector.lines == [
        "modifying flags \(KEMON_E_DENIED)", "modifying path \(KEMON_E_UNSUPPORTED)",
        "modifying port \(KEMON_E_INVALID)", "modifying second \(KEMON_E_FULL)",
        "modifying again with mode 1",
      ])
    #expect(test.host.plugins.first?.misbehaviour == 1)
    test.host.stop()
  }

  @Test func `two plugins that are equals conflict, and one that is first wins`() throws {
    let equal = try host([["-DNAME=\"one\""], ["-DNAME=\"two\"", "-DMODE=0640"]])
    #expect(create(0o644, on: equal).0.isDenied)
    equal.host.stop()
    let ranked = try host([
      ["-DNAME=\"one\""], ["-DNAME=\"two\"", "-DMODE=0640", "-DPRIORITY=-1"],
    ])
    #expect(create(0o644, on: ranked).1 == 0o640)
    ranked.host.stop()
  }

  @Test func `a manifest names fields that can be changed`() throws {
    let text = { (capability: String) in
      Array(
        #"{"name": "x", "version": "1.0.0", "abi": 1, "capabilities": ["\#(capability)"]}"#.utf8)
    }
    let good = try PluginManifest(parsing: text("modify:net.connect.destination_port"))
    #expect(good.modifiable == ModifiableFields(named: "net.connect.destination_port"))
    #expect(
      try PluginManifest(parsing: text("modify:file.create.mode")).modifiable != good.modifiable)
  }
}
