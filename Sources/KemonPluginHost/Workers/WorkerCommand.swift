// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonText

/// The program that a worker becomes, and what it may do; told on the command line, as the hello is for the program.
struct WorkerCommand {
  /// The interpreter's file; nil for a program that runs by itself.
  let interpreter: String?
  /// Where Python finds the module `kemon`; nil when it is nowhere.
  let modules: String?
  let grants: [String]
  let limits: WorkerLimits

  init(_ command: PluginProgram.Command, grants: [String], limits: WorkerLimits) {
    interpreter = command.interpreter
    modules = Self.findModules()
    self.grants = grants
    self.limits = limits
  }

  // MARK: On the way

  var json: JSONValue {
    .object([
      "interpreter": interpreter.map { .string($0) } ?? .null,
      "modules": modules.map { .string($0) } ?? .null,
      "grants": .array(grants.map { .string($0) }), "limits": limits.json,
    ])
  }

  init(_ json: JSONValue) throws(WorkerFailure) {
    interpreter = json.value(at: "interpreter")?.string
    modules = json.value(at: "modules")?.string
    grants = json.value(at: "grants")?.elements?.compactMap(\.string) ?? []
    limits = WorkerLimits(json.value(at: "limits") ?? .null)
  }

  /// Becomes the program; returns only when it cannot.
  func execute() -> WorkerFailure {
    let program = "/proc/self/fd/\(KEMON_WORKER_PLUGIN)"
    let path = interpreter ?? program
    var environment = [
      "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
      // Nothing is written beside the modules, and none is found in the current folder.
      "PYTHONDONTWRITEBYTECODE=1", "PYTHONSAFEPATH=1", "PYTHONNOUSERSITE=1", "PYTHONUNBUFFERED=1",
    ]
    if let modules { environment.append("PYTHONPATH=\(modules)") }
    let arguments = interpreter == nil ? [program] : [path, program]
    WorkerProgram.withStrings(arguments) { arguments in
      WorkerProgram.withStrings(environment) { environment in
        _ = execve(path, arguments, environment)
      }
    }
    return WorkerFailure("\(path) cannot be run: \(describe(errno: errno))")
  }

  // MARK: Modules

  /// Looks for the module beside an installation, and in the checkout that the program was built in.
  private static func findModules() -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return nil }
    var folder = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
      folder = String(folder[..<slash])
      for place in ["share/kemon/python", "plugin-sdk/python"]
      where access("\(folder)/\(place)/kemon/__init__.py", R_OK) == 0 {
        return "\(folder)/\(place)"
      }
    }
    return nil
  }
}
