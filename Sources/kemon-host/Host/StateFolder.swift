// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Glibc
import KemonBus
import KemonPluginHost

/// The folder in which a run leaves what it was in, should it not come to its end.
///
/// `run-PID.crumbs` is written by every thread while it is in a handler, `run-PID.names` says what the numbers in it mean.
/// Both go at the end of the run; what is found of a run that is over was left by one that was killed. A crash that could
/// still speak leaves `crash-PID.txt`, which stays.
final class StateFolder {
  private let crumbs: String
  private let names: String

  /// Opens the folder, makes it if need be, and tells what a run before has left.
  ///
  /// - Throws: an exit code, after saying what is wrong.
  init(_ path: String) throws {
    let process = getpid()
    crumbs = "\(path)/run-\(process).crumbs"
    names = "\(path)/run-\(process).names"
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      Console.error("--state-dir \(path): cannot be made: \(error.localizedDescription)")
      throw ExitStatus.configuration
    }
    Self.tellOfDead(path)
    CrashReport.setFile("\(path)/crash-\(process).txt")
    let descriptor = open(crumbs, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    defer { if descriptor >= 0 { Glibc.close(descriptor) } }
    var failure = descriptor < 0 ? errno : 0
    // With its blocks: a page that cannot be written when the disk is full would end the host at its next event.
    if failure == 0 { failure = posix_fallocate(descriptor, 0, off_t(CrashReport.crumbBytes)) }
    if failure == 0 { failure = CrashReport.keepCrumbs(in: descriptor) }
    guard failure == 0 else {
      Console.error("--state-dir \(path): \(String(cString: strerror(failure)))")
      throw ExitStatus.configuration
    }
  }

  /// Writes down what the numbers of plugins and handlers mean.
  func write(_ plugins: [PluginInfo], _ handlers: [HandlerStatistics]) {
    let lines =
      plugins.map { "plugin \($0.id) \($0.name)" }
      + handlers.map { "handler \($0.token.id) \($0.name)" }
    do {
      try (lines.joined(separator: "\n") + "\n")
        .write(toFile: names, atomically: true, encoding: .utf8)
    } catch {
      Console.warning("\(names): \(error.localizedDescription)")
    }
  }

  /// The run has come to its end: nothing is left of it.
  func close() {
    unlink(crumbs)
    unlink(names)
  }

  // MARK: Runs that have not come to their end

  private static func tellOfDead(_ path: String) {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for file in files.sorted() {
      guard let match = file.wholeMatch(of: /run-([0-9]+)\.crumbs/),
        let process = pid_t(match.1), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let run = "\(path)/run-\(process)"
      let names = names(of: (try? String(contentsOfFile: run + ".names", encoding: .utf8)) ?? "")
      let bytes = [UInt8](FileManager.default.contents(atPath: run + ".crumbs") ?? Data())
      let owners = CrashReport.owners(inCrumbs: bytes)
      let places = owners.map { owner in
        let plugin = names["plugin \(owner.plugin)"] ?? "number \(owner.plugin)"
        let handler = names["handler \(owner.handler)"] ?? "number \(owner.handler)"
        return owner.handler == .max
          ? "plugin \(plugin)" : "plugin \(plugin), handler \(handler)"
      }
      let place = places.isEmpty ? "in no handler" : "in " + places.joined(separator: "; in ")
      Console.warning("the run of process \(process) did not come to its end; it was \(place)")
      unlink(run + ".crumbs")
      unlink(run + ".names")
    }
  }

  /// What numbers mean, by what they are of: `plugin 1`.
  private static func names(of text: String) -> [String: String] {
    var names: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 2)
      if parts.count == 3 { names["\(parts[0]) \(parts[1])"] = String(parts[2]) }
    }
    return names
  }
}
