// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonText

/// The program that workers run in, and how it is started.
public struct WorkerProgram: Sendable {
  /// The hidden verb that makes the program a worker.
  static let verb = "worker-process"
  /// The one that makes it another program, confined as workers are.
  static let programVerb = "worker-program"

  let path: String

  /// A program that calls ``WorkerMain/runIfAsked()`` before anything else.
  ///
  /// - Parameter path: without one, the program that is running.
  public init(path: String = "/proc/self/exe") { self.path = path }

  /// Starts the program with these descriptors, as 0, 1, 2 and so on, and no others.
  ///
  /// The kernel ends it when the calling thread ends. It has a group of its own: what the terminal sends is for the host,
  /// which then stops its workers.
  ///
  /// - Parameter command: what it becomes then; nil for a worker of its own.
  func start(_ command: WorkerCommand?, _ descriptors: [Int32]) throws(WorkerFailure) -> pid_t {
    let asked = command.map { [Self.programVerb, $0.json.text] } ?? [Self.verb]
    let arguments = ["kemon-worker"] + asked
    let child = Self.withStrings(arguments) { arguments in
      Self.withStrings(Self.environment) { environment in
        ckemon_spawn(path, arguments, environment, descriptors, descriptors.count)
      }
    }
    guard child > 0 else {
      throw WorkerFailure("\(path) cannot be started: \(describe(errno: -child))")
    }
    return child
  }

  /// Of the host's environment: only what libraries are found by.
  private static var environment: [String] {
    var texts = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "SWIFT_BACKTRACE=enable=no"]
    if let folders = getenv("LD_LIBRARY_PATH") {
      texts.append("LD_LIBRARY_PATH=" + String(cString: folders))
    }
    return texts
  }

  static func withStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
      guard let list = buffer.baseAddress else { preconditionFailure("a list has its end") }
      return body(list)
    }
  }
}
