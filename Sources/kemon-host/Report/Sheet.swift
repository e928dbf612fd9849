// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonText

/// How a sheet is written.
enum TableFormat: String, ExpressibleByArgument, CaseIterable {
  case text, tsv, json
}

/// Rows of cells under names, written for people or for programs.
struct Sheet {
  /// A cell.
  enum Cell {
    case text(String)
    case number(Int)
    /// There is nothing.
    case none
  }

  /// The names of the columns, as programs read them.
  let columns: [String]
  var rows: [[Cell]] = []
  /// What people are told beside the data.
  var note: String?

  init(_ columns: String...) { self.columns = columns }

  mutating func add(_ cells: Cell...) { rows.append(cells) }

  func text(as format: TableFormat) -> String {
    switch format {
    case .text:
      var table = Table(columns.map { $0.uppercased().replacing("_", with: " ") })
      for row in rows { table.add(row.map(\.text)) }
      return table.text
    case .tsv:
      let lines = [columns] + rows.map { $0.map(\.text) }
      return lines.map { $0.joined(separator: "\t") }.joined(separator: "\n")
    case .json:
      return JSONValue.array(
        rows.map { row in
          .object(Dictionary(uniqueKeysWithValues: zip(columns, row.map(\.json))))
        }
      ).text
    }
  }
}

extension Sheet.Cell {
  /// A text; nothing for nil.
  static func text(_ text: String?) -> Sheet.Cell { text.map { .text($0) } ?? .none }

  /// A number; nothing for nil.
  static func number(_ number: Int?) -> Sheet.Cell { number.map { .number($0) } ?? .none }

  fileprivate var text: String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .none: "-"
    }
  }

  fileprivate var json: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .number(let number): .integer(Int64(number))
    case .none: .null
    }
  }
}
