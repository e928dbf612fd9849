// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonPluginHost
import KemonText

/// Offers the events of tests to a plugin, in the host that it will run in, and compares what is decided.
public struct SuiteRun {
  private let plugin: String
  private let name: String
  private let isIsolated: Bool

  /// - Parameters:
  ///   - plugin: the plugin's file, or the folder of a program.
  ///   - isIsolated: it runs in a process of its own, as a program always does.
  /// - Throws: what is wrong with the file.
  public init(plugin: String, isIsolated: Bool = false) throws(SuiteError) {
    let inspections = PluginScanner.inspect(directories: [plugin])
    guard inspections.count == 1, let manifest = inspections[0].manifest,
      inspections[0].problems.isEmpty
    else {
      let problems = inspections.flatMap(\.problems).map(\.message).joined(separator: "; ")
      throw SuiteError(
        plugin, problems.isEmpty ? "holds \(inspections.count) plugins, needed is one" : problems)
    }
    self.plugin = plugin
    self.isIsolated = isIsolated
    name = manifest.name
  }

  /// Where builds leave a library, seen from the plugin's folder.
  private static let places = [".", "build", ".build/release", ".build/debug", "target/release"]

  /// The one plugin of a folder: the program that it is, or the library that was built in it.
  ///
  /// - Throws: that there is none, or more than one.
  public static func plugin(in folder: String) throws(SuiteError) -> String {
    if Subject.isProgram(folder) { return folder }
    for place in places {
      let directory = "\(folder)/\(place)"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
      let plugins = names.filter { $0.hasSuffix(".so") }.sorted().map { "\(directory)/\($0)" }
        .filter { PluginScanner.inspect($0).manifest != nil }
      guard plugins.count < 2 else {
        throw SuiteError(directory, "holds \(plugins.count) plugins; --plugin says which is meant")
      }
      if let plugin = plugins.first { return plugin }
    }
    throw SuiteError(
      folder, "no plugin is built; looked in \(places.joined(separator: ", ")), or see --plugin")
  }

  /// Runs a test.
  ///
  /// - Returns: what differs; nothing when the test passes.
  public func run(_ test: PluginTest) throws(SuiteError) -> [String] {
    let expected = try test.expectation()
    return expected.differences(to: try decide(test))
  }

  /// Writes what is decided now into a test's `expected.json`.
  ///
  /// - Returns: whether the file has changed.
  public func update(_ test: PluginTest) throws(SuiteError) -> Bool {
    let text = try decide(test).text
    let old = FileManager.default.contents(atPath: test.expectedFile)
    guard old != Data(text.utf8) else { return false }
    guard FileManager.default.createFile(atPath: test.expectedFile, contents: Data(text.utf8))
    else {
      throw SuiteError(test.expectedFile, "cannot be written")
    }
    return true
  }

  // MARK: A run

  private func decide(_ test: PluginTest) throws(SuiteError) -> Expectation {
    let events = try test.events()
    let configuration = try test.configuration()
    let host: LoneHost
    do throws(LoneHost.Refusal) {
      host = try LoneHost(
        plugin, named: name, configuration: configuration, mode: .replay,
        isolate: isIsolated ? .all : .none)
    } catch {
      throw SuiteError(test.folder.path, error.text)
    }
    defer { host.plugins.stop() }
    var decided: [Int: [String: JSONValue]] = [:]
    var number = 0
    host.play(events) { record, verdict in
      number += 1
      guard verdict.action != .abstain else { return }
      decided[number] = Self.row(record, verdict, host.plugins)
    }
    return Expectation(events: number, decided: decided)
  }

  private static func row(
    _ record: RecordView, _ verdict: Verdict, _ host: PluginHost
  ) -> [String: JSONValue] {
    var row: [String: JSONValue] = ["verdict": .string(verdict.action.name)]
    if let info = record.kind.info {
      row["kind"] = .string(info.name)
      row["phase"] = .string(info.phase.name)
    }
    if verdict.isDenied { row["errno"] = .string(ErrnoName.describe(linux: verdict.error)) }
    if verdict.allowMask != .max { row["mask"] = .integer(Int64(bitPattern: verdict.allowMask)) }
    if let result = verdict.replacement { row["result"] = .integer(result) }
    var votes: [String: JSONValue] = [:]
    for index in 0..<record.voteCount {
      let vote = record.vote(index)
      let action = VerdictAction(rawValue: vote.action) ?? .abstain
      guard action != .abstain else { continue }
      votes[host.handlerName(vote.handler_id) ?? "#\(vote.handler_id)"] = .string(action.name)
      let reason = record.text(vote.reason)
      if action == verdict.action, !reason.isEmpty { row["reason"] = .string(reason) }
    }
    row["votes"] = .object(votes)
    return row
  }
}
