// SPDX-License-Identifier: Apache-2.0

import KemonKernel

/// What `kemon-host mac tables` shows.
enum MACSheets {
  /// Every release with its table.
  static var releases: Sheet {
    var sheet = Sheet(
      "xnu", "macos", "darwin", "policy_version", "table", "slots", "used", "abi_id")
    for release in MACRelease.all {
      let table = release.table
      sheet.add(
        .text(release.xnu), .text(release.systems.joined(separator: ",")), .text(release.darwin),
        .number(release.opsVersion), .text(table.name), .number(table.slots.count),
        .number(table.used), .text(release.abi))
    }
    sheet.note = "\(MACRelease.all.count) releases, \(MACTable.all.count) tables"
    return sheet
  }

  /// The slots of a table.
  static func slots(_ table: MACTable) -> Sheet {
    var sheet = Sheet("slot_index", "op_name", "return_type", "parameters")
    for (index, operation) in table.slots.enumerated() {
      let parameters = operation.parameters.map { "\($0.type.name) \($0.name)" }
      sheet.add(
        .number(index), .text(operation.name), .text(operation.result.name),
        .text(parameters.isEmpty ? "void" : parameters.joined(separator: "; ")))
    }
    return sheet
  }

  /// What becomes of each slot of a policy, those that are right left out.
  static func skew(_ skew: MACSkew, _ built: MACRelease, _ running: MACRelease) -> Sheet {
    var sheet = changes(skew.slots.filter { $0.fate != .ok })
    let counts = MACSkew.Fate.allCases.filter { skew.count($0) > 0 }
      .map { "\(skew.count($0)) \($0.rawValue)" }
    sheet.note =
      "a policy built for \(built.version) on \(running.version): "
      + counts.joined(separator: ", ")
    return sheet
  }

  /// One of the talk's cases, with the slots that the slide shows.
  static func example(_ example: MACCase) -> Sheet {
    var sheet = changes([])
    for part in example.examples {
      guard let skew = part.skew else { continue }
      // The slide shows reserved slots as well, which have no fate.
      for index in part.slots {
        let slot = skew.slots.first { $0.index == index }
        sheet.rows.append(
          row(
            index, slot?.fate.rawValue ?? "unused", skew.built.slots[index],
            skew.running.slots[index]))
      }
    }
    let pairs = example.examples.map { "\($0.before) -> \($0.after)" }.joined(separator: ", ")
    sheet.note = "case \(example.number), \(example.name): \(example.title) (\(pairs))"
    return sheet
  }

  /// How often what happens, for every pair of different tables.
  static var pairs: Sheet {
    var sheet = Sheet(
      "built_for", "built_version", "running", "running_version", "ok", "prototype_mismatch",
      "wrong_op", "never_called", "slot_missing", "new_ops_unset", "slots_past_end")
    for built in MACTable.all {
      for running in MACTable.all where running.name != built.name {
        let skew = MACSkew(built: built, running: running)
        let fates: [MACSkew.Fate] = [
          .ok, .wrongPrototype, .wrongOperation, .neverCalled, .missing, .unset, .pastEnd,
        ]
        sheet.rows.append(
          [
            .text(built.name), .number(built.releases.first?.opsVersion), .text(running.name),
            .number(running.releases.first?.opsVersion),
          ] + fates.map { .number(skew.count($0)) })
      }
    }
    return sheet
  }

  // MARK: Rows

  private static func changes(_ slots: [MACSkew.Slot]) -> Sheet {
    var sheet = Sheet(
      "slot", "fate", "built_for", "running", "built_signature", "running_signature")
    sheet.rows = slots.map { row($0.index, $0.fate.rawValue, $0.built, $0.running) }
    return sheet
  }

  private static func row(
    _ slot: Int, _ fate: String, _ built: MACOperation?, _ running: MACOperation?
  ) -> [Sheet.Cell] {
    [
      .number(slot), .text(fate), .text(built?.name), .text(running?.name),
      .text(built?.signature), .text(running?.signature),
    ]
  }
}
