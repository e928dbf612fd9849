// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import Glibc
import KemonBus
public import KemonEvents
import KemonText
import Synchronization

/// The program of a worker: loads one plugin as the host would, and calls it for the host.
public enum WorkerMain {
  /// Becomes a worker and never returns, when the program was started as one; returns at once otherwise.
  ///
  /// To be called before anything else.
  ///
  /// - Parameter operations: what handlers may name beside kinds, for the kernel that the host has.
  public static func runIfAsked(
    operations: (_ kernel: String?) -> OperationCatalog? = { _ in nil }
  ) {
    let arguments = CommandLine.arguments
    if arguments.count == 3, arguments[1] == WorkerProgram.programVerb {
      become(arguments[2])
    }
    guard arguments.count == 2, arguments[1] == WorkerProgram.verb else { return }
    let control = WorkerControl(descriptor: KEMON_WORKER_CONTROL)
    do throws(WorkerFailure) {
      try run(control, operations)
      exit(0)
    } catch {
      try? control.send(.failed, error.json, deadline: EventClock.monotonic() + 1_000_000_000)
      exit(1)
    }
  }

  /// Becomes a plugin's program, confined.
  private static func become(_ text: String) -> Never {
    let control = WorkerControl(descriptor: KEMON_WORKER_CONTROL)
    let failure: WorkerFailure
    do throws(WorkerFailure) {
      let command = try WorkerCommand(try Array(text.utf8).json())
      _ = try WorkerConfinement.enter(
        command.grants, command.limits, reading: command.modules.map { [$0] } ?? [],
        isProgram: true)
      failure = command.execute()
    } catch {
      failure = error
    }
    try? control.send(.failed, failure.json, deadline: EventClock.monotonic() + 1_000_000_000)
    exit(1)
  }

  private static func run(
    _ control: WorkerControl, _ operations: (_ kernel: String?) -> OperationCatalog?
  ) throws(WorkerFailure) {
    // Before anything of the plugin's: what it writes and logs goes through the same two pipes.
    let output = BufferedOutput(to: 1)
    let log = WorkerLog(to: 2)
    defer {
      output.close()
      log.close()
    }
    var saved: [UInt8] = []
    while let (type, body) = try control.receive(deadline: .max) {
      switch type {
      case .state: saved = body
      case .hello:
        let hello = try WorkerHello(try body.json())
        let session = try WorkerSession(
          hello, state: saved, control, output: output, log: log,
          operations: operations(hello.kernel))
        return try session.run()
      default: throw WorkerFailure("found \(type), needed is a hello")
      }
    }
  }
}
