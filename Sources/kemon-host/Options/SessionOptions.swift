// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel

/// What happens in the kernel model.
struct SessionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A JSON file that says what happens in the kernel model (default: a driver is loaded).",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  var session: String?

  @Option(
    help: ArgumentHelp(
      "The kernel's release instead of the session's: "
        + KernelRelease.all.map(\.name).joined(separator: ", ") + ".", valueName: "release"),
    completion: .list(KernelRelease.all.map(\.name)))
  var macos: String?

  /// Reads the session.
  ///
  /// - Throws: an exit code, after saying what is wrong and where.
  func read() throws -> Session {
    var session = Session.mandiantMonitor
    if let file = self.session {
      do {
        session = try Session(contentsOf: file)
      } catch {
        Console.error(error.description)
        throw error.isUnreadable ? ExitStatus.inputMissing : ExitStatus.badData
      }
    }
    guard let name = macos else { return session }
    guard let release = KernelRelease.named(name) else {
      let known = KernelRelease.all.map(\.name).joined(separator: ", ")
      throw ValidationError("--macos \(name): needed is one of \(known)")
    }
    return session.on(release)
  }
}
