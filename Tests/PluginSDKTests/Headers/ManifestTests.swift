// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonFakeHost
import KemonTestSupport
import Testing

@Suite struct ManifestTests {
  /// The manifest's section of a library: its header's line by readelf, and its text.
  private func section(_ library: String) throws -> (header: String, text: String)? {
    let readelf = try #require(Command("readelf"))
    let headers = try readelf.run(["-SW", library]).output
    guard
      let header = headers.split(separator: "\n").first(where: { $0.contains(".kemon.manifest") })
    else { return nil }
    let fields = header.split(separator: "]", maxSplits: 1)[1].split(separator: " ")
    let offset = try #require(Int(fields[3], radix: 16))
    let size = try #require(Int(fields[4], radix: 16))
    let bytes = try Data(contentsOf: URL(filePath: library))[offset..<(offset + size)]
    #expect(bytes.last == 0)
    return (String(header), String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
  }

  private func check(_ library: String, name: String) throws {
    let section = try #require(try section(library), "\(library) has no manifest")
    #expect(section.header.contains(" PROGBITS "))
    #expect(section.header.contains(" A"))
    let object = try JSONSerialization.jsonObject(with: Data(section.text.utf8))
    let manifest = try #require(object as? [String: Any])
    #expect(manifest["name"] as? String == name)
    #expect(manifest["abi"] as? Int == 1)
    #expect(manifest["version"] as? String == "1.0.0")
  }

  @Test(
    .enabled(if: Command.exists("readelf"), "needs readelf"),
    arguments: ["kext-guard", "policy-guard", "dns-watch", "path-guard", "event-log"])
  func `a shipped plugin has its manifest and exports little`(name: String) throws {
    let library = Products.plugin(name)
    try check(library, name: name)
    let symbols = try #require(Command("readelf")).run(["--dyn-syms", "-W", library]).output
    let exported = symbols.split(separator: "\n").filter {
      $0.contains(" GLOBAL ") && !$0.contains(" UND ")
    }
    .compactMap { $0.split(separator: " ").last.map(String.init) }
    #expect(Set(exported) == ["kemon_plugin_v1", "kemon_manifest_text"])
  }

  private static let source = """
    #include <kemon/kemon.h>
    KEMON_MANIFEST("{\\"name\\": \\"x\\", \\"version\\": \\"1.0.0\\", \\"abi\\": 1}");
    const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) { (void)hello; return 0; }
    """

  @Test(
    .enabled(if: Command.exists("readelf"), "needs readelf"), arguments: Compiler.present,
    ["bfd", "gold", "lld"])
  func `the manifest survives every linker`(compiler: Compiler, linker: String) throws {
    let folder = try ScratchFolder()
    let source = try folder.write(Self.source, to: compiler.isCXX ? "x.cc" : "x.c")
    let map = Checkout.sdk.appending(path: "cmake/exports.map").path
    for flags in [
      [], ["-O2", "-Wl,--gc-sections", "-ffunction-sections", "-fdata-sections"],
      ["-Os", "-Wl,--gc-sections", "-Wl,-s", "-Wl,--version-script=\(map)"],
    ] {
      let library = folder.file("libx.so")
      let result = try compiler.run(
        ["-shared", "-fPIC", "-fvisibility=hidden", "-fuse-ld=\(linker)", source, "-o", library]
          + flags)
      if result.text.contains("cannot find 'ld'")
        || result.text.contains("invalid linker name")
      {
        return
      }
      #expect(result.status == 0, "\(result.text)")
      try check(library, name: "x")
    }
  }
}
