// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import KemonTestSupport
import Testing

@Suite struct KextFileTests {
  private func image(_ builder: MachOBuilder) throws -> KextImage {
    try #require(try KextFile(builder.bytes, file: "driver").slices.first).get()
  }

  @Test func `a kext says who it is and where it starts`() throws {
    let image = try image(MachOBuilder())
    #expect(image.architecture == .x86_64)
    #expect(image.identifier == "com.example.driver")
    #expect(image.version == "1.2.3")
    #expect(image.start == 0x1000)
    #expect(image.startSymbol == "_driver_start")
    #expect(image.stop == 0x1008)
    #expect(image.base == 0x1000)
    #expect(image.size == 0x10_0000)
    #expect(image.uuid == (0..<16).map { UInt8($0) })
    #expect(image.imports == ["IOLog", "mac_policy_register"])
    #expect(image.registersPolicies)
    #expect(image.policies.isEmpty)
  }

  @Test func `its start routine is disassembled up to the return`() throws {
    #expect(
      try image(MachOBuilder()).startListing() == [
        "(01) 55 PUSH RBP", "(03) 4889e5 MOV RBP, RSP", "(02) 31c0 XOR EAX, EAX", "(01) 5d POP RBP",
        "(01) c3 RET",
      ])
    var broken = MachOBuilder()
    broken.code = [0x55, 0x06, 0xC3, 0, 0, 0, 0, 0, 0xC3]
    #expect(try image(broken).startListing() == ["(01) 55 PUSH RBP"])
    #expect(try image(broken).startListing(count: 0) == [])
  }

  @Test func `code for Apple silicon is disassembled, too`() throws {
    var builder = MachOBuilder(cpu: 0x0100_000C, subtype: 0x8000_0002)
    builder.code = [0xFD, 0x7B, 0xBF, 0xA9, 0x00, 0x00, 0x80, 0x52, 0xC0, 0x03, 0x5F, 0xD6]
    let image = try image(builder)
    #expect(image.architecture == .arm64e)
    #expect(
      image.startListing() == [
        "(04) fd7bbfa9 STP X29, X30, [SP, #-0X10]!", "(04) 00008052 MOVZ W0, #0",
        "(04) c0035fd6 RET",
      ])
  }

  @Test func `policies that are declared are found by their structure`() throws {
    var builder = MachOBuilder()
    builder.policies = [
      .init(),
      .init(
        name: "dylibmon_m", fullName: "Dylib monitor", flags: 0, labels: 0, slots: [36: 0, 334: 8]),
    ]
    let policies = try image(builder).policies
    #expect(policies.map(\.name) == ["procmon_m", "dylibmon_m"])
    #expect(policies.map(\.fullName) == ["procmon_m", "Dylib monitor"])
    #expect(policies.map(\.loadtimeFlags) == [2, 0])
    #expect(policies.map { $0.handlers.map(\.slot) } == [[6], [36, 334]])
    #expect(policies[0].handlers.map(\.symbol) == ["_driver_stop"])
    #expect(policies[1].handlers.map(\.address) == [0x1000, 0x1008])
    #expect(policies[0].ops == policies[0].conf + 80)
  }

  @Test(arguments: [
    MachOBuilder.Policy(name: ""), MachOBuilder.Policy(name: "a\u{1B}b"),
    MachOBuilder.Policy(name: String(repeating: "x", count: 64)),
    MachOBuilder.Policy(flags: 16), MachOBuilder.Policy(labels: 5), MachOBuilder.Policy(slots: [:]),
    // A slot that points beside the code.
    MachOBuilder.Policy(slots: [3: 0x5000]),
  ])
  func `what only looks like a policy is none`(_ policy: MachOBuilder.Policy) throws {
    #expect(try image(MachOBuilder(policies: [policy])).policies.isEmpty)
  }

  @Test(arguments: ["x86_64", "arm64"])
  func `what a real linker made is read`(_ architecture: String) throws {
    let path = Checkout.fixture("Kexts/linked-\(architecture)").path
    let kext = try KextFile(contentsOf: path)
    let image = try #require(kext.slices.first).get()
    #expect(image.architecture.rawValue == architecture)
    #expect(image.identifier == "com.example.linked")
    #expect(image.version == "1.0.2")
    #expect(image.startSymbol == "_driver_start")
    #expect(image.startListing().count == 15)
    #expect(image.registersPolicies)
    #expect(image.imports.filter { $0 != "dyld_stub_binder" }.count == 3)
    let policy = try #require(image.policies.first)
    #expect(image.policies.count == 1)
    #expect(policy.name == "dylibmon_m")
    #expect(policy.fullName == "Watches libraries")
    #expect(policy.loadtimeFlags == 2)
    #expect(policy.handlers.map(\.slot) == [10, 36])
    #expect(policy.handlers.map(\.symbol) == ["_update_execve", "_check_mmap"])
  }

  @Test(arguments: [false, true])
  func `a fat file has a slice for each processor`(isWide: Bool) throws {
    let arm = MachOBuilder(cpu: 0x0100_000C, subtype: 2, version: "2.0")
    let file = try KextFile(
      MachOBuilder.fat(
        [(0x0100_0007, 3, MachOBuilder().bytes), (0x0100_000C, 2, arm.bytes)], wide: isWide),
      file: "fat")
    #expect(file.slices.count == 2)
    #expect(file.image(for: .x86_64)?.version == "1.2.3")
    #expect(file.image(for: .arm64e)?.version == "2.0")
    #expect(file.image(for: .arm64) == nil)
    #expect(file.identifier == "com.example.driver")
  }

  @Test func `a broken slice is reported, the others are kept`() throws {
    let good = MachOBuilder().bytes
    let file = try KextFile(
      MachOBuilder.fat([
        (0x0100_0007, 3, Array(good.prefix(100))), (0x0100_000C, 2, good),
        (7, 3, good), (0x0100_0007, 3, good),
      ]), file: "fat")
    let errors = file.slices.map { slice in
      if case .failure(let error) = slice { error.message } else { "" }
    }
    #expect(errors[0].contains("the load commands has"))
    #expect(errors[1] == "the fat header names another processor than the slice")
    #expect(errors[2] == "the fat header names another processor than the slice")
    #expect(errors[3].isEmpty)
    #expect(file.image(for: .x86_64)?.identifier == "com.example.driver")
  }

  @Test func `a bundle says what it needs and which file is its executable`() throws {
    let scratch = try ScratchFolder()
    let bundle = scratch.file("driver.kext")
    try FileManager.default.createDirectory(
      atPath: "\(bundle)/Contents/MacOS", withIntermediateDirectories: true)
    try Data(MachOBuilder().bytes).write(to: URL(filePath: "\(bundle)/Contents/MacOS/driver"))
    try Data(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <plist version="1.0"><dict>
      <key>CFBundleIdentifier</key><string>com.example.bundle</string>
      <key>CFBundleVersion</key><string>9.9</string>
      <key>CFBundleExecutable</key><string>driver</string>
      <key>OSBundleRequired</key><string>Root</string>
      <key>OSBundleLibraries</key><dict><key>com.apple.kpi.bsd</key><string>8.0</string></dict>
      </dict></plist>
      """.utf8
    ).write(to: URL(filePath: "\(bundle)/Contents/Info.plist"))
    let kext = try KextFile(contentsOf: bundle)
    #expect(kext.identifier == "com.example.bundle")
    #expect(kext.version == "9.9")
    #expect(kext.info?.libraries == ["com.apple.kpi.bsd": "8.0"])
    #expect(kext.info?.required == "Root")
    #expect(kext.image(for: .x86_64)?.identifier == "com.example.driver")
    let sdk = try KextFile(contentsOf: "\(bundle)/Contents/MacOS/driver")
    #expect(sdk.info == nil)
    #expect(sdk.identifier == "com.example.driver")
  }

  @Test(arguments: [
    (#"<plist version="1.0"><array/></plist>"#, "not a dictionary"),
    ("nonsense", "not a dictionary"),
    ("<plist><dict>", "not a property list"),
    (#"<plist version="1.0"><dict/></plist>"#, "CFBundleExecutable is missing"),
    (
      #"<plist version="1.0"><dict><key>CFBundleExecutable</key><string>../../x</string></dict></plist>"#,
      "no name of a file"
    ),
    (
      #"<plist version="1.0"><dict><key>CFBundleIdentifier</key><integer>1</integer></dict></plist>"#,
      "CFBundleIdentifier is no text"
    ),
  ])
  func `a bundle's list is not believed`(_ list: String, _ message: String) throws {
    let scratch = try ScratchFolder()
    _ = try scratch.write(list, to: "Info.plist")
    let error = try #require(throws: MachOError.self) {
      try KextFile(
        contentsOf: URL(filePath: scratch.file("Info.plist")).deletingLastPathComponent().path)
    }
    #expect(error.message.contains(message))
    #expect(error.file.hasSuffix("/Info.plist"))
  }
}
