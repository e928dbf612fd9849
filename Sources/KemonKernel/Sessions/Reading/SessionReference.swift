// SPDX-License-Identifier: Apache-2.0

extension Session {
  /// What can be in a session and what can happen in one, in Markdown, made from the tables of the reader.
  public static var reference: String {
    var lines = [
      "# What happens in sessions", "",
      "Made from the tables that sessions are checked against. [Sessions](sessions.md) tells the rest.",
      "",
      "## Steps", "",
      "Every step can say who does it: `\"\(SessionSteps.actor)\"`, the name of a process.", "",
    ]
    for step in SessionSteps.all { lines += describe(step.name, step.about, step) }
    lines += [
      "## What is there from the beginning", "", "Lists of a session, beside processes and kexts.",
      "",
    ]
    for section in SessionSections.all {
      lines += describe(section.name, section.about, section.step)
    }
    return lines.joined(separator: "\n")
  }

  private static func describe(
    _ name: String, _ about: String, _ step: any SessionStep.Type
  ) -> [String] {
    var lines = ["### `\(name)`", "", about, ""]
    guard !step.fields.isEmpty else { return lines }
    lines += ["| member | is | |", "|---|---|---|"]
    for field in step.fields {
      let marks = [
        field.isRequired ? "required" : nil, field.name == step.mainField ? "may stand alone" : nil,
      ].compactMap(\.self)
      let note = marks.isEmpty ? "" : " (\(marks.joined(separator: ", ")))"
      lines.append("| `\(field.name)` | \(cell(field.type.words)) | \(cell(field.about))\(note) |")
    }
    return lines + [""]
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
