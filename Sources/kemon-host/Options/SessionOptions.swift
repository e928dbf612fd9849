// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import KemonKernel
import KemonText

/// What happens in the kernel model.
struct SessionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What happens in the kernel model: a session that comes with Kemon, or a JSON file.",
      valueName: "name|file"),
    completion: .list(Session.shippedNames))
  var session: String?

  @Option(
    help: ArgumentHelp(
      "The kernel's release instead of the session's: "
        + KernelRelease.all.map(\.name).joined(separator: ", ") + ".", valueName: "release"),
    completion: .list(KernelRelease.all.map(\.name)))
  var macos: String?

  @Option(
    help: ArgumentHelp(
      "Instead of a session: a generated load of so many events, mostly files.", valueName: "N"))
  var events: Int?

  @Option(
    help: ArgumentHelp(
      "The same of so many operations, each of which is an event or more.", valueName: "N"))
  var operations: Int?

  @Flag(
    name: .customLong("no-hooks"),
    help: "With --operations: a kernel without Kemon, to measure what hooks cost.")
  var isUnhooked = false

  @Option(
    help: ArgumentHelp("The same seed makes the same load (default: 1).", valueName: "N"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp("On how many threads the load happens (default: 1).", valueName: "N"))
  var threads: Int?

  func validate() throws {
    guard [session != nil, events != nil, operations != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError("one of --session, --events and --operations says what happens")
    }
    let isLoad = events != nil || operations != nil
    if !isLoad, seed != nil || threads != nil {
      throw ValidationError("--seed and --threads say how a load is made: --events N is missing")
    }
    if isUnhooked, operations == nil {
      throw ValidationError("--no-hooks leaves no events to be counted: --operations N is missing")
    }
    for amount in [events, operations].compactMap(\.self) where amount < 1 {
      throw ValidationError("a load of \(amount): needed is 1 or more")
    }
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads \(threads): needed is 1 to 256")
    }
  }

  /// Whether nothing was said: the embedded session is played.
  var isEmbedded: Bool { session == nil && events == nil && operations == nil }

  /// Reads the session, or describes the load.
  ///
  /// - Throws: an exit code, after saying what is wrong and where.
  func read() throws -> ModelSubject {
    let amount =
      events.map { GeneratedLoad.Amount.events($0) }
      ?? operations.map { GeneratedLoad.Amount.operations($0) }
    if let amount {
      let load = GeneratedLoad(seed: seed ?? 1, amount, threads: threads ?? 1)
      return .load(load, try release() ?? .macOS10_13_6)
    }
    let session = try self.session.map(Self.find) ?? .mandiantMonitor
    return .session(try release().map(session.on) ?? session)
  }

  private func release() throws -> KernelRelease? {
    guard let name = macos else { return nil }
    guard let release = KernelRelease.named(name) else {
      let known = KernelRelease.all.map(\.name).joined(separator: ", ")
      throw ValidationError("--macos \(name): needed is one of \(known)")
    }
    return release
  }

  /// A session that comes with Kemon, or a file where the name has a path's or a file's form.
  private static func find(_ name: String) throws -> Session {
    if let session = Session.shipped(name) { return session }
    let isFile = name.contains("/") || name.hasSuffix(".json")
    guard isFile || access(name, F_OK) == 0 else {
      let near = NearNames.of(name, among: Session.shippedNames)
      let meant = near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
      Console.error(
        "--session \(name): no session of that name comes with Kemon, and no file is there\(meant) "
          + "--list-sessions lists them")
      throw ExitStatus.inputMissing
    }
    do {
      return try Session(contentsOf: name)
    } catch {
      Console.error(error.description)
      throw error.isUnreadable ? ExitStatus.inputMissing : ExitStatus.badData
    }
  }

  /// Prints the sessions that come with Kemon: the name, and what each shows.
  static func list() {
    // Without a header: one session a line, for scripts too.
    var table = Table("", "")
    for session in Session.shippedNames.compactMap(Session.shipped) {
      table.add(session.name, session.about)
    }
    Console.data(table.lines.dropFirst().joined(separator: "\n"))
  }
}
