// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonEvents
import KemonPluginHost
import KemonText

struct EventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "List the kinds of events, or the fields of one.",
    discussion: "With a name, or a beginning and *, the fields of the matching kinds are listed.")

  @Argument(
    help: "A kind's name, as in file.open, or a pattern as in file.*.",
    completion: .list(Array(Set(EventKind.allKinds.compactMap(\.info?.name))).sorted()))
  var name: String?

  @Option(name: [.customShort("o"), .long], help: "How the list is written.")
  var output: ReportFormat = .text

  func run() throws {
    let kinds = name.map { EventKind.matching($0, phase: nil) } ?? EventKind.allKinds
    guard !kinds.isEmpty else {
      throw ValidationError("there is no kind \"\(name ?? "")\"; kemon-host events lists all")
    }
    let infos = kinds.compactMap(\.info)
    switch output {
    case .json: Console.data(JSONValue.array(infos.map(\.json)).text)
    case .text:
      Console.data(
        name == nil ? Self.list(infos) : infos.map(Self.fields).joined(separator: "\n\n"))
    }
  }

  private static func list(_ infos: [EventKindInfo]) -> String {
    var table = Table("NUMBER", "NAME", "PHASE", "FAMILY", "DENY", "CONSTANT")
    for info in infos {
      table.add(
        number(info), info.name, info.phase.name, info.family.name, info.canDeny ? "yes" : "-",
        "KEMON_KIND_\(info.constant)")
    }
    return table.text
  }

  private static func fields(_ info: EventKindInfo) -> String {
    var table = Table("FIELD", "TYPE", "OFFSET", "CHANGE", "MEANING")
    for field in info.fields where field.name != "reserved" {
      table.add(
        field.name, field.type.rawValue, String(field.offset), field.isModifiable ? "yes" : "-",
        field.documentation)
    }
    let deny = info.canDeny ? "can be denied" : "cannot be denied"
    return "\(info.name) \(info.phase.name)  \(number(info))  \(info.family.name)  \(deny)\n"
      + table.text
  }

  private static func number(_ info: EventKindInfo) -> String {
    let digits = String(info.kind.rawValue, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: max(0, 2 - digits.count)) + digits
  }
}
