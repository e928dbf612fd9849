// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonPluginTesting
import KemonRecording
import KemonText

/// One test of a plugin: a folder with events, a configuration, and what must be decided.
///
/// ```
/// tests/NAME/events.jsonl or recording.kemon
/// tests/NAME/config.json     optional
/// tests/NAME/expected.json
/// ```
public struct PluginTest: Sendable {
  /// The name of its folder.
  public let name: String
  let folder: URL

  /// The tests of a plugin's folder, by their names.
  ///
  /// - Throws: that there are none.
  public static func all(in folder: String) throws(SuiteError) -> [PluginTest] {
    let tests = URL(filePath: folder).appending(path: "tests")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: tests.path)) ?? []
    let found = names.filter { !$0.hasPrefix(".") }.sorted()
      .map { PluginTest(name: $0, folder: tests.appending(path: $0)) }
    guard !found.isEmpty else {
      throw SuiteError(tests.path, "no test is there; needed are folders such as tests/first")
    }
    return found
  }

  /// The path of the file that says what must be decided.
  public var expectedFile: String { folder.appending(path: "expected.json").path }

  /// The configuration, an object.
  func configuration() throws(SuiteError) -> JSONValue {
    let file = folder.appending(path: "config.json").path
    guard let bytes = FileManager.default.contents(atPath: file) else { return .object([:]) }
    let value = try Self.parse([UInt8](bytes), file)
    guard value.members != nil else {
      throw SuiteError(file, "found \(value.typeName), needed is an object")
    }
    return value
  }

  /// What must be decided.
  func expectation() throws(SuiteError) -> Expectation {
    guard let bytes = FileManager.default.contents(atPath: expectedFile) else {
      throw SuiteError(expectedFile, "is missing; --update writes it")
    }
    return try Expectation(try Self.parse([UInt8](bytes), expectedFile), file: expectedFile)
  }

  private static func parse(_ bytes: [UInt8], _ file: String) throws(SuiteError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: bytes)
    } catch {
      throw SuiteError(file, error.description)
    }
  }

  /// The events.
  func events() throws(SuiteError) -> RecordArena {
    let recording = folder.appending(path: "recording.kemon").path
    let lines = folder.appending(path: "events.jsonl").path
    if FileManager.default.fileExists(atPath: recording) {
      do throws(RecordingError) {
        let (records, outcome) = try RecordingReader(opening: recording).loadAll()
        if outcome.isComplete { return records }
      } catch {
        throw SuiteError(recording, error.description)
      }
      throw SuiteError(recording, "is cut or broken")
    }
    guard let bytes = FileManager.default.contents(atPath: lines) else {
      throw SuiteError(folder.path, "needed is events.jsonl or recording.kemon")
    }
    var records: [OwnedRecord] = []
    let text = String(decoding: bytes, as: UTF8.self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy(\.isWhitespace) {
      do throws(EventLine.Mistake) {
        records.append(try EventLine(String(line)).record(number: records.count + 1))
      } catch {
        throw SuiteError(lines, "line \(index + 1): \(error.text)")
      }
    }
    return withExtendedLifetime(records) { RecordArena(copying: records.map(\.view)) }
  }
}
