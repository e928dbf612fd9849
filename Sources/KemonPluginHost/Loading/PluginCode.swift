// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents

/// The code of a checked plugin, mapped for the life of the process.
struct PluginCode {
  /// The plugin's table, copied into one of this host's size.
  let table: kemon_plugin
  /// What both sides speak: the host's major, the lower of both minors.
  let abi: UInt32

  /// Bytes of the table in its first version, which ends with `destroy`.
  private static let firstSize = 40

  /// Code that is not mapped here, behind a table of the host's own.
  init(table: kemon_plugin, abi: UInt32) {
    self.table = table
    self.abi = abi
  }

  /// Maps the sealed copy of a library and asks its entry for the plugin's table.
  ///
  /// The library is never unmapped: a Swift plugin's types stay known to the runtime, a C++ plugin's unique symbols
  /// to the linker. Its sealed copy may be closed afterwards, the mapping keeps the bytes.
  init(_ candidate: PluginScanner.Candidate, mode: PluginMode) throws(PluginProblem) {
    func problem(_ rule: PluginProblem.Rule, _ found: String, _ needed: String) -> PluginProblem {
      PluginProblem(
        rule, file: candidate.file, plugin: candidate.manifest.name, found: found, needed: needed)
    }
    let path = candidate.image.linkerPath
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      let message = dlerror().map { String(cString: $0) } ?? "no reason"
      throw problem(
        .loadLink, Self.shorten(message, removing: path),
        "a library whose symbols and libraries can all be found")
    }
    guard let symbol = dlsym(library, KEMON_ENTRY_SYMBOL) else {
      throw problem(.loadLink, "no symbol \(KEMON_ENTRY_SYMBOL)", "the plugin's entry")
    }
    let entry = unsafeBitCast(symbol, to: Entry.self)
    let (answer, why) = Self.ask(entry, mode)
    guard let answer else {
      throw problem(
        .loadRefused, why.isEmpty ? "no table and no reason" : "\"\(why)\"",
        "a plugin that serves ABI \(Self.text(HostServices.abi))")
    }
    do throws(PluginRefusal) {
      // What follows in a newer plugin's table is for newer hosts; it learns from kemon_host.abi what is spoken.
      table = try ForeignStruct.read(
        answer, first: Self.firstSize, tail: .ignored, named: "kemon_plugin")
    } catch {
      throw problem(.loadTable, error.text, "the table of headers of ABI 1")
    }
    guard table.abi >> 16 == KEMON_ABI_MAJOR else {
      throw problem(
        .loadTable, "ABI \(Self.text(table.abi))", "ABI \(KEMON_ABI_MAJOR), as its manifest says")
    }
    guard table.create != nil else { throw problem(.loadTable, "create is NULL", "a function") }
    guard table.concurrency <= UInt32(KEMON_CONC_PER_SUBJECT) else {
      throw problem(
        .loadTable, "concurrency \(table.concurrency)",
        "KEMON_CONC_FREE, KEMON_CONC_SERIAL or KEMON_CONC_PER_SUBJECT")
    }
    abi = min(table.abi, HostServices.abi)
  }

  private typealias Entry =
    @convention(c) (UnsafeMutablePointer<kemon_hello>?) -> UnsafePointer<kemon_plugin>?

  private static func ask(
    _ entry: Entry, _ mode: PluginMode
  ) -> (answer: UnsafePointer<kemon_plugin>?, why: String) {
    var hello = kemon_hello()
    hello.size = UInt32(MemoryLayout<kemon_hello>.size)
    hello.abi_min = KEMON_ABI_MAJOR << 16
    hello.abi_max = HostServices.abi
    hello.mode = mode.rawValue
    hello.host_name = CText.hostName
    hello.host_version = CText.hostVersion
    let answer = entry(&hello)
    return (answer, withUnsafeBytes(of: &hello.why) { $0.cString })
  }

  /// An ABI number for people.
  static func text(_ abi: UInt32) -> String { "\(abi >> 16).\(abi & 0xFFFF)" }

  /// The linker's message without the path of the copy, which says nothing to anybody.
  private static func shorten(_ message: String, removing path: String) -> String {
    message.hasPrefix(path + ": ") ? String(message.dropFirst(path.utf8.count + 2)) : message
  }
}
