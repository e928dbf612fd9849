// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport

/// The program under test with the shipped plugins in a folder of their own.
struct Host {
  static let shipped = ["kext-guard", "policy-guard", "dns-watch", "path-guard", "event-log"]

  let scratch: ScratchFolder
  let plugins: String

  init(plugins names: [String] = Host.shipped) throws {
    scratch = try ScratchFolder()
    plugins = scratch.file("plugins")
    try FileManager.default.createDirectory(
      atPath: plugins, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    for name in names {
      try scratch.copy(Products.plugin(name), to: "plugins/lib\(name).so")
    }
  }

  func run(
    _ arguments: String..., environment: [String: String] = [:], input: String? = nil
  ) throws -> Command.Result {
    try Command(built: "kemon-host").run(arguments, environment: environment, input: input)
  }

  /// A recording of the embedded session.
  func record(_ name: String = "session.kemon") throws -> String {
    let file = scratch.file(name)
    let result = try run("run", "--plugins", plugins, "--write", file)
    guard result.status == 0 else { throw Failure(description: result.errors) }
    return file
  }

  struct Failure: Error, CustomStringConvertible { let description: String }
}

/// The members of a JSON object.
func members(of text: String) throws -> [String: Any] {
  let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
  guard let members = value as? [String: Any] else {
    throw Host.Failure(description: "no object: \(text)")
  }
  return members
}
