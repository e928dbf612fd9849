// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension TextFormatter {
  mutating func kextPre(_ record: RecordView, _ line: inout LineBuffer) {
    guard let kext = record.view(of: kemon_kext.self) else { return unknown(record, &line) }
    flushListing(unlessFor: kext.name, &line)
    let start = line.count
    line.append(action: "MONITORING_KEXT_PRE_CALLBACK", of: record)
    let details = line.count
    line.append(", name=")
    line.append(kext.name)
    line.append(", path=")
    line.append(kext.path)
    line.append(moduleOf: kext, namedBefore: true)
    if isTooLong(from: start, line) {
      line.truncate(to: details)
      line.append(", path=")
      line.append(kext.path)
      line.append(", module base=")
      line.append(hex: kext.base)
      line.append(".\n")
    }
    appendListing(ofKext: kext.name, to: &line)
    line.append(Dialect.prefix)
    line.append("In ")
    line.append(dialect.the)
    line.append("kext pre callback handler. ")
    if record.verdict == .deny { line.append("Patching the driver entry point! ") }
    line.append("name=")
    line.append(kext.name)
    line.append(moduleOf: kext, namedBefore: true)
  }

  func kextPost(_ record: RecordView, _ line: inout LineBuffer) {
    guard let kext = record.view(of: kemon_kext.self) else { return unknown(record, &line) }
    let start = line.count
    line.append(action: "MONITORING_KEXT_POST_CALLBACK", of: record)
    line.append(", status=")
    line.append(decimal: kext.status)
    let details = line.count
    line.append(", name=")
    line.append(kext.name)
    line.append(moduleOf: kext, namedBefore: true)
    if isTooLong(from: start, line) {
      line.truncate(to: details)
      line.append(moduleOf: kext, namedBefore: false)
    }
    line.append(Dialect.prefix)
    line.append("In ")
    line.append(dialect.the)
    line.append("kext post callback handler. status=")
    line.append(decimal: kext.status)
    line.append(", name=")
    line.append(kext.name)
    line.append(moduleOf: kext, namedBefore: true)
  }

  /// The original did not watch kexts being stopped.
  func kextStop(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let kext = record.view(of: kemon_kext.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", status=")
    line.append(decimal: kext.status)
    line.append(", name=")
    line.append(kext.name)
    line.append(", version=")
    line.append(kext.version)
    line.append(outcomeOf: record)
  }

  /// The 2019 dialect shortens a long line; its end counts.
  func isTooLong(from start: Int, _ line: borrowing LineBuffer) -> Bool {
    dialect == .year2019 && line.count - start >= Dialect.longLine
  }
}

extension LineBuffer {
  /// Appends `[, version=…], module base=…, module size=….` and ends the line.
  fileprivate mutating func append(moduleOf kext: PayloadView<kemon_kext>, namedBefore: Bool) {
    if namedBefore {
      append(", version=")
      append(kext.version)
    }
    append(", module base=")
    append(hex: kext.base)
    append(", module size=")
    append(hex: kext.module_size)
    append(".\n")
  }
}
