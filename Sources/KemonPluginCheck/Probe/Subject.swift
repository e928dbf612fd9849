// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonPluginHost
import KemonPluginTesting
import KemonText

/// The plugin under check, and with what it is checked.
struct Subject: Sendable {
  /// The plugin's file, or the folder of a program.
  let file: String
  /// What its operator would configure, an object.
  let configuration: JSONValue
  /// What random events follow from.
  let seed: UInt64
  /// Nanoseconds that a handler may take for an event.
  let budget: UInt64
  /// Where it is said how the check goes.
  let board: CheckBoard

  /// What its operator would configure, as the host of the checks takes it.
  var config: ConfigValue { ConfigValue(configuration) }

  /// Whether a path is that of a plugin that is a program.
  static func isProgram(_ path: String) -> Bool { access(path + "/kemon.json", F_OK) == 0 }

  /// Maps the library.
  func open() throws(Finding) -> OpenLibrary { try OpenLibrary(path: file) }

  /// Maps the library and asks its entry for the plugin's table.
  func load() throws(Finding) -> PluginTable {
    try open().ask(EntryQuestion()).table
  }

  /// A started plugin in a host that watches what it does.
  func run(
    config: ConfigValue? = nil, mode: Int32 = KEMON_MODE_RUN
  ) throws(Finding) -> Probe {
    let probe = try Probe(try load(), self, config: config ?? self.config, mode: mode)
    try probe.create()
    try probe.start()
    return probe
  }

  /// Extensions that the host of the checks offers.
  static let extensions: Set<String> = [KEMON_EXT_CONFIG, KEMON_EXT_OUTPUT, KEMON_EXT_NAMES]

  /// Extensions that the manifest asks for.
  func neededExtensions() -> [String] {
    PluginScanner.inspect(file).manifest?.extensions ?? []
  }

  /// Texts that the plugin itself has: what it compares with is likely to be among them.
  func words() -> [String] {
    let symbols = try? LibrarySymbols(reading: file)
    let texts = (symbols?.texts ?? []) + config.texts
    // What a filter compares with is in quotes inside of its text.
    let quoted = texts.flatMap { text in
      text.split(separator: "'", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 1 && !$0.element.isEmpty }.map { String($0.element) }
    }
    return quoted + texts
  }
}

/// A mapped library.
struct OpenLibrary {
  private let entry: kemon_entry_fn

  init(path: String) throws(Finding) {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      throw .failed("the dynamic linker: \(dlerror().map { String(cString: $0) } ?? "no reason")")
    }
    guard let symbol = dlsym(handle, KEMON_ENTRY_SYMBOL) else {
      throw .failed("exports no \(KEMON_ENTRY_SYMBOL)")
    }
    entry = unsafeBitCast(symbol, to: kemon_entry_fn.self)
  }

  /// What the entry answered.
  enum Answer {
    case table(UnsafePointer<kemon_plugin>)
    case refusal(String)

    /// The table of a plugin that serves this host.
    var table: PluginTable {
      get throws(Finding) {
        switch self {
        case .table(let pointer): return try PluginTable(pointer)
        case .refusal(let why):
          throw .failed("refuses a host of ABI \(KEMON_ABI_MAJOR): \"\(why)\"")
        }
      }
    }
  }

  /// Calls the entry.
  func ask(_ question: EntryQuestion) -> Answer {
    var hello = question.hello
    let table = question.hostName.withCString { name in
      hello.host_name = name
      hello.host_version = name
      return entry(&hello)
    }
    if let table { return .table(table) }
    let why = withUnsafeBytes(of: hello.why) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return .refusal(why)
  }

  /// Calls the entry with a struct that is given in place.
  func ask(at hello: UnsafeMutablePointer<kemon_hello>) -> UnsafePointer<kemon_plugin>? {
    entry(hello)
  }
}

/// What a host says when it asks an entry.
struct EntryQuestion {
  var majors: ClosedRange<UInt32> = UInt32(KEMON_ABI_MAJOR)...UInt32(KEMON_ABI_MAJOR)
  var mode: Int32 = KEMON_MODE_RUN
  let hostName = "kemon-host"

  var hello: kemon_hello {
    var hello = kemon_hello()
    hello.size = UInt32(MemoryLayout<kemon_hello>.size)
    hello.abi_min = majors.lowerBound << 16
    hello.abi_max = majors.upperBound << 16 | UInt32(KEMON_ABI_MINOR)
    hello.mode = UInt32(mode)
    return hello
  }
}

/// A plugin's table, as far as this host knows its fields.
struct PluginTable {
  let pointer: UnsafePointer<kemon_plugin>
  let plugin: kemon_plugin

  /// Copies a table; what the plugin's headers did not have is zero.
  init(_ pointer: UnsafePointer<kemon_plugin>) throws(Finding) {
    self.pointer = pointer
    let size = Int(pointer.pointee.size)
    // The first version of the struct ended with `destroy`.
    guard size >= 40, size <= 4096 else {
      throw .failed("kemon_plugin.size is \(size), needed is sizeof(kemon_plugin)")
    }
    var copy = kemon_plugin()
    withUnsafeMutableBytes(of: &copy) { target in
      target.copyMemory(
        from: UnsafeRawBufferPointer(start: pointer, count: min(size, target.count)))
    }
    plugin = copy
  }
}

extension ConfigValue {
  /// All texts in it.
  var texts: [String] {
    switch self {
    case .string(let text): [text]
    case .array(let elements): elements.flatMap(\.texts)
    case .object(let members):
      members.sorted { $0.key < $1.key }.flatMap { [$0.key] + $0.value.texts }
    default: []
    }
  }
}
