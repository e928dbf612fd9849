// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// The instructions that a hook replaced, copied out of their record.
///
/// Hooks are rare: it may allocate.
struct HeldListing {
  private let function: [UInt8]
  private let subject: [UInt8]
  private let listing: [UInt8]
  private let dialect: Dialect

  init(_ hook: PayloadView<kemon_hook_attach>, _ dialect: Dialect) {
    function = Array(hook.function.bytes)
    subject = Array(hook.subject.bytes)
    listing = Array(hook.listing.bytes)
    self.dialect = dialect
  }

  /// Whether the hook was put in for this kext.
  func isFor(_ name: RecordText) -> Bool { subject.elementsEqual(name.bytes) }

  /// As the original showed the call site of a kext's start routine.
  func appendAsCall(to line: inout LineBuffer) {
    line.append(Dialect.prefix)
    line.append("Disassemble the OSKext::start(")
    append(subject, to: &line)
    line.append(") -> startfunc(kmod_info, kmodStartData).\n")
    appendInstructions(to: &line)
  }

  /// As the original showed any other function.
  func appendAlone(to line: inout LineBuffer) {
    line.append(Dialect.prefix)
    line.append("Disassemble the ")
    append(function, to: &line)
    line.append("(")
    append(subject, to: &line)
    line.append(").\n")
    appendInstructions(to: &line)
  }

  private func appendInstructions(to line: inout LineBuffer) {
    for instruction in listing.split(separator: UInt8(ascii: "\n")) {
      line.append(dialect.listingIndent)
      append(Array(instruction), to: &line)
      line.append("\n")
    }
  }

  private func append(_ text: [UInt8], to line: inout LineBuffer) {
    text.withUnsafeBytes { line.append(RecordText($0)) }
  }
}
