// SPDX-License-Identifier: Apache-2.0

/// Columns of text, as wide as their widest cell.
struct Table {
  private var rows: [[String]]

  init(_ header: String...) { rows = [header] }

  init(_ header: [String]) { rows = [header] }

  mutating func add(_ cells: String...) { rows.append(cells) }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, without spaces at their ends.
  var lines: [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - cell.count + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  var text: String { lines.joined(separator: "\n") }
}

extension BinaryInteger {
  /// The number with commas between thousands.
  var grouped: String {
    let digits = String(magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return (self < 0 ? "-" : "") + text
  }
}

/// Numbers as people read them.
enum KemonHostText {
  /// A duration in the unit that fits it.
  static func nanoseconds(_ value: Double) -> String {
    switch value {
    case ..<1000: "\(Int(value.rounded())) ns"
    case ..<1_000_000: "\(decimal(value / 1000)) us"
    case ..<1_000_000_000: "\(decimal(value / 1_000_000)) ms"
    default: "\(decimal(value / 1_000_000_000)) s"
    }
  }

  /// A number with one digit behind the point.
  static func decimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }

  /// A rate, as in `1.57 M/s`.
  static func rate(_ perSecond: Double) -> String {
    switch perSecond {
    case 1_000_000...: "\(decimal(perSecond / 1_000_000)) M/s"
    case 1000...: "\(decimal(perSecond / 1000)) k/s"
    default: "\(decimal(perSecond))/s"
    }
  }
}
