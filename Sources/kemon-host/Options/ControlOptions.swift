// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonText

/// Whether a run can be controlled while it goes on.
struct ControlOptions: ParsableArguments {
  @Option(
    name: .customLong("control"),
    help: ArgumentHelp(
      "Let kemon-host plugins reload, enable, disable, set-mode, reset, reconfigure and list control the "
        + "plugins over this Unix socket.", valueName: "socket"),
    completion: .file())
  var socket: String?
}

/// The running host that a command talks to.
struct RunningHostOptions: ParsableArguments {
  @Option(
    name: .customLong("control"),
    help: ArgumentHelp("The socket that the host was started with.", valueName: "socket"),
    completion: .file())
  var socket: String

  /// Asks the host.
  ///
  /// - Throws: an exit code, after saying why there is no answer or what the host refuses.
  func ask(_ verb: String, _ members: [String: JSONValue] = [:]) throws -> [String: JSONValue] {
    try RunningHost.ask(socket, members.merging(["do": .string(verb)]) { $1 })
  }
}

/// A plugin of a host that runs.
struct RunningPluginOptions: ParsableArguments {
  @Argument(help: "The plugin's name.")
  var name: String

  @OptionGroup var host: RunningHostOptions

  /// Asks the host for something about the plugin.
  func ask(_ verb: String, _ members: [String: JSONValue] = [:]) throws -> [String: JSONValue] {
    try host.ask(verb, members.merging(["plugin": .string(name)]) { $1 })
  }

  /// Asks for it and says that it was done.
  func ask(_ verb: String, _ members: [String: JSONValue] = [:], saying done: String) throws {
    _ = try ask(verb, members)
    Console.note("\(name): \(done)")
  }
}

/// Talking to a host over its control socket.
enum RunningHost {
  static func ask(_ socket: String, _ request: [String: JSONValue]) throws -> [String: JSONValue] {
    do throws(ControlClient.Failure) {
      return try ControlClient(connectingTo: socket).ask(request)
    } catch {
      switch error {
      case .unreachable(let reason):
        Console.error(reason)
        throw ExitStatus.hostUnreachable
      case .forbidden(let reason):
        Console.error(reason)
        throw ExitStatus.noPermission
      case .refused(_, let message):
        Console.error(message)
        throw ExitCode.failure
      }
    }
  }
}
