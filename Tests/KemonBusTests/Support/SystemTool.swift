// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Programs of the system that tests call.
enum SystemTool {
  /// The root of the repository.
  static let root: URL = {
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root
  }()

  /// Runs a program; nil when there is none.
  static func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:]
  ) -> (status: Int32, output: String)? {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    guard (try? process.run()) != nil else { return nil }
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  /// Compiles a C file of the fixtures; nil when there is no compiler, or it fails.
  static func compile(_ fixture: String, _ flags: [String] = []) -> String? {
    let name = (fixture as NSString).lastPathComponent
    let result = FileManager.default.temporaryDirectory
      .appending(path: "kemon-\(name)-\(getpid())").path
    let source = root.appending(path: "Tests/Fixtures/\(fixture)").path
    let include = root.appending(path: "plugin-sdk/include").path
    let arguments =
      ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", include] + flags
      + [source, "-o", result]
    return run("/usr/bin/cc", arguments)?.status == 0 ? result : nil
  }
}
