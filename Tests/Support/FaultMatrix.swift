// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// The table of docs/plugins/faults.md: a row for each way in which a plugin misbehaves, a column for each place in which
/// it can run.
///
/// A test fills in its column with what it has seen; with KEMON_UPDATE_GOLDEN the file is written, else it must say so
/// already. Rows that one test does not know stay as they are.
public struct FaultMatrix {
  /// A place in which a plugin runs.
  public enum Column: Int, Sendable {
    /// In the host's own process.
    case inProcess = 1
    /// In a worker.
    case worker = 2
  }

  /// The page.
  public static let file = Checkout.root.appending(path: "docs/plugins/faults.md")

  private static let head = "| misbehaviour | in process | worker |"
  private static let rule = "| --- | --- | --- |"

  private let before: [String]
  private let after: [String]
  private var rows: [[String]]

  /// What is wrong with the page.
  public struct PageError: Error { let text: String }

  /// Reads the page.
  public init() throws {
    let lines = try String(contentsOf: Self.file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(of: Self.head), lines[start + 1] == Self.rule else {
      throw PageError(text: "\(Self.file.path) has no table \(Self.head)")
    }
    let end = lines[start...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
    before = Array(lines[..<start])
    after = Array(lines[end...])
    rows = lines[(start + 2)..<end]
      .map { line in
        line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      }
    guard rows.allSatisfy({ $0.count == 3 }) else {
      throw PageError(text: "a row of the table in \(Self.file.path) has not three cells")
    }
  }

  /// Fills in a column, and writes the page when it is to be renewed.
  ///
  /// - Parameter outcomes: what was seen, by misbehaviour; new rows come last.
  /// - Returns: the rows that the page has otherwise, as it should have them; none when all is as it says.
  public mutating func set(
    _ column: Column, _ outcomes: [(misbehaviour: String, outcome: String)]
  ) throws -> [String] {
    var wrong: [String] = []
    for (name, outcome) in outcomes {
      if let index = rows.firstIndex(where: { $0[0] == name }) {
        guard rows[index][column.rawValue] != outcome else { continue }
        rows[index][column.rawValue] = outcome
        wrong.append(line(rows[index]))
      } else {
        var row = [name, "not tried", "not tried"]
        row[column.rawValue] = outcome
        rows.append(row)
        wrong.append(line(row))
      }
    }
    guard !wrong.isEmpty, ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil else {
      return wrong
    }
    let lines = before + [Self.head, Self.rule] + rows.map(line) + after
    try lines.joined(separator: "\n").write(to: Self.file, atomically: true, encoding: .utf8)
    return []
  }

  private func line(_ row: [String]) -> String { "| \(row.joined(separator: " | ")) |" }
}
