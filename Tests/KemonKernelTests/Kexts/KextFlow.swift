// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

/// A case of the kernel's flows of loading and unloading kexts, and what must come of it.
struct KextFlow: CustomTestStringConvertible, Sendable {
  /// The rows of the table of lifecycles that it shows.
  let rows: [String]
  let kexts: String
  let steps: String
  var machine = "{}"
  /// What MAC policies say no to: `load ID`, `unload ID`.
  var denied: Set<String> = []
  /// Whose start Kemon's plugin denies.
  var refused: [String] = []
  /// Whose status Kemon's plugin replaces by 31.
  var replaced: [String] = []
  var uid = 0
  var pid = 59

  var failures: [String] = []
  var lines: [String] = []
  var runs: [String: String] = [:]
  var modules: [String] = []

  init(
    _ rows: [String], _ kexts: String, _ steps: String, machine: String = "{}",
    denied: Set<String> = [], refused: [String] = [], replaced: [String] = [], uid: Int = 0,
    pid: Int = 59, failures: [String] = [], lines: [String] = [], runs: [String: String] = [:],
    modules: [String] = []
  ) {
    self.rows = rows
    self.kexts = kexts
    self.steps = steps
    self.machine = machine
    self.denied = denied
    self.refused = refused
    self.replaced = replaced
    self.uid = uid
    self.pid = pid
    self.failures = failures
    self.lines = lines
    self.runs = runs
    self.modules = modules
  }

  var testDescription: String { rows.joined(separator: ", ") }

  /// The case as a session; kexts need only say what is special about them.
  func session() throws -> Session {
    let common =
      #""version": "1.0", "path": "/k.kext", "base": "0xffffff7f80000000", "size": 4096"#
    let json = """
      {"name": "flow", "machine": \(machine),
       "process": {"pid": \(pid), "uid": \(uid), "comm": "kextd"},
       "kexts": [\(kexts.replacing("{\"id\"", with: "{\(common), \"id\""))],
       "steps": [\(steps)]}
      """
    return try Session(json: Array(json.utf8), file: "flow.json")
  }

  private static func failed(_ id: String, _ code: String) -> [String] {
    ["Kext \(id) failed to load (\(code)).", "Failed to load kext \(id) (error \(code))."]
  }

  static let all: [KextFlow] = loading + starting + unloading

  private static let a = #"{"id": "a"}"#
  private static let pair = #"{"id": "a", "libraries": {"b": "1"}}, {"id": "b"}"#
  private static let load = #"{"load": "a"}"#

  // MARK: kext_load

  private static let loading: [KextFlow] = [
    KextFlow(
      ["kext_load 1"], a, load, uid: 501, failures: ["0xdc008004"],
      lines: ["Access Failure - must be root user."], runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 2"], a, load, machine: #"{"load_kexts": false}"#, failures: ["0xdc00800a"],
      lines: ["Kext loading is disabled."], runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 3", "kext_load 5", "kext_load 13", "kext_load 18", "kext_load 23"], a,
      load + "," + load, runs: ["a": "1 1 0 0"], modules: ["a"]),
    KextFlow(
      ["kext_load 4"], #"{"id": "a", "excluded": true}"#, load, failures: ["0xdc008013"],
      lines: ["Kext a is in exclude list, not loadable"] + failed("a", "0xdc008013"),
      runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 6"], a, load, denied: ["load a"], failures: ["0xdc000001"],
      lines: ["Failed to load kext a (MAC policy error 0xd)."] + failed("a", "0xdc000001"),
      runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 7"], a, load, machine: #"{"load_kexts": false}"#, failures: ["0xdc00800a"],
      lines: ["Kext loading is disabled."], runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 8"], #"{"id": "a", "executable": false}"#, load, runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 9"], a + #", {"id": "b", "safe_boot": true}"#, load + #", {"load": "b"}"#,
      machine: #"{"safe_boot": true}"#, failures: ["0xdc008012"],
      lines: ["Can't load kext a - not loadable during safe boot."] + failed("a", "0xdc008012"),
      runs: ["a": "0 0 0 0", "b": "1 1 0 0"], modules: ["b"]),
    KextFlow(
      ["kext_load 10"], #"{"id": "a", "libraries": {"c": "1"}}"#, load, failures: ["0xdc00800e"],
      lines: [
        "Kext a - library kext c not found.",
        "Can't load kext a - failed to resolve library dependencies.",
      ] + failed("a", "0xdc00800e"), runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 11"], pair.replacing(#""b"}"#, with: #""b", "status": 7}"#), load,
      failures: ["0xdc008015"],
      lines: [
        "Kext b start failed (result 0x7).", "Kext b failed to load (0xdc008017).",
        "Dependency b of kext a failed to load.",
      ] + failed("a", "0xdc008015"), runs: ["a": "0 0 0 0", "b": "1 1 0 1"]),
    KextFlow(
      ["kext_load 12"],
      #"{"id": "a", "link": "entitlement"}, {"id": "b", "link": "executable"}, "#
        + #"{"id": "c", "link": "symbols"}"#,
      #"{"load": "a"}, {"load": "b"}, {"load": "c"}"#,
      failures: ["0xdc008004", "0xdc00800c", "0xdc008016"],
      lines: ["Not entitled to link kext 'a'", "Failed to load executable for kext a."]
        + failed("a", "0xdc008004") + [
          "Can't load kext b - executable is missing.", "Failed to load executable for kext b.",
        ] + failed("b", "0xdc00800c") + [
          "Can't load kext c - link failed.", "Failed to load executable for kext c.",
        ] + failed("c", "0xdc008016"),
      runs: ["a": "0 0 0 0", "b": "0 0 0 0", "c": "0 0 0 0"]),
  ]

  private static let starting: [KextFlow] = [
    KextFlow(
      ["kext_load 14"], #"{"id": "a", "start": "0xffffff7f80001000"}"#, load,
      failures: ["0xdc008017"],
      lines: [
        "Kext a module start pointer is outside of kext range (start 0xffffff7f80001000 - "
          + "kext at 0xffffff7f80000000-0xffffff7f80001000).",
        "Kext a start failed (result 0xdc008007).",
      ] + failed("a", "0xdc008017"), runs: ["a": "0 0 0 0"]),
    KextFlow(
      ["kext_load 15"], pair,
      #"{"load": {"kext": "a", "start": "nothing"}}, "#
        + #"{"start": {"kext": "a", "dependencies": false}}, {"start": "a"}"#,
      failures: ["0xdc008017"],
      lines: [
        "Kext a start - dependency b failed to start (error 0xdc008017).",
        "Kext a start failed (result 0xdc008017).",
      ], runs: ["a": "1 1 0 0", "b": "1 1 0 0"], modules: ["b", "a"]),
    KextFlow(
      ["kext_load 15"], pair.replacing(#""b"}"#, with: #""b", "status": 7}"#),
      #"{"load": {"kext": "a", "start": "nothing"}}, {"start": "a"}"#, failures: ["0xdc008017"],
      lines: [
        "Kext a start - dependency b failed to start (error 0xdc008017).",
        "Kext a start failed (result 0xdc008017).",
      ], runs: ["a": "0 0 0 0", "b": "1 1 0 1"], modules: ["b", "a"]),
    KextFlow(
      ["kext_load 16"], #"{"id": "a", "constructors": 9}"#, load, failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x9)."] + failed("a", "0xdc008017"),
      runs: ["a": "1 0 0 0"]),
    KextFlow(
      ["kext_load 17"], a, load, refused: ["a"], failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x5)."] + failed("a", "0xdc008017"),
      runs: ["a": "1 0 0 1"]),
    KextFlow(
      ["kext_load 18", "kext_load 20"], #"{"id": "a", "status": 5}"#, load,
      failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x5)."] + failed("a", "0xdc008017"),
      runs: ["a": "1 1 0 1"]),
    KextFlow(
      ["kext_load 19"], a, load, replaced: ["a"], failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x1f)."] + failed("a", "0xdc008017"),
      runs: ["a": "1 1 0 1"]),
    KextFlow(
      ["kext_load 21"], #"{"id": "a", "status": 5}"#, load, denied: ["unload a"],
      failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x5)."] + failed("a", "0xdc008017")
        + ["Failed to remove kext a (MAC policy error 0xd)."],
      runs: ["a": "1 1 0 1"], modules: ["a"]),
    KextFlow(
      ["kext_load 22"], #"{"id": "a", "status": 5}"#, load, machine: #"{"unload_kexts": false}"#,
      failures: ["0xdc008017"],
      lines: ["Kext a start failed (result 0x5)."] + failed("a", "0xdc008017")
        + ["Kext unloading is disabled (a)."],
      runs: ["a": "1 1 0 1"], modules: ["a"]),
  ]

  // MARK: kext_unload

  private static let unload = load + #", {"unload": "a"}"#

  private static let unloading: [KextFlow] = [
    KextFlow(
      ["kext_unload 1"], a, unload, denied: ["unload a"], failures: ["0xdc000001"],
      lines: ["Failed to remove kext a (MAC policy error 0xd)."], runs: ["a": "1 1 0 0"],
      modules: ["a"]),
    KextFlow(
      ["kext_unload 2"], #"{"id": "a", "services": true}"#, unload, failures: ["0xdc008018"],
      lines: ["Can't remove kext a; services failed to terminate - 0xdc008018."],
      runs: ["a": "1 1 0 0"], modules: ["a"]),
    KextFlow(
      ["kext_unload 3"], a, unload, machine: #"{"unload_kexts": false}"#,
      failures: ["0xdc00800a"], lines: ["Kext unloading is disabled (a)."],
      runs: ["a": "1 1 0 0"], modules: ["a"]),
    KextFlow(
      ["kext_unload 3"], pair, load + #", {"unload": "b"}, {"unload": "a"}, {"unload": "b"}"#,
      failures: ["0xdc008018"],
      lines: ["Can't unload kext b; outstanding references (linkage or tracking object)."],
      runs: ["a": "1 1 1 1", "b": "1 1 1 1"]),
    KextFlow(
      ["kext_unload 3"], #"{"id": "a", "instances": true}"#, unload, failures: ["0xdc008018"],
      lines: ["Can't unload kext a; classes have instances:"], runs: ["a": "1 1 0 0"],
      modules: ["a"]),
    KextFlow(
      ["kext_unload 4"], #"{"id": "a", "stop": 3}"#, unload, failures: ["0xdc008017"],
      lines: [
        "Kext a did not stop (return code 0x3).",
        "Kext a can't unload - module stop returned 0xdc008017.",
      ], runs: ["a": "1 1 1 0"], modules: ["a"]),
    KextFlow(
      ["kext_unload 5", "kext_unload 6"], a, unload + ", " + load + #", {"stop": "a"}"#,
      runs: ["a": "2 2 2 2"], modules: ["a"]),
  ]
}
