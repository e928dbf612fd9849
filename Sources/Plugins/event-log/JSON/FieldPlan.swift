// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// How to write the records of one kind: the constant text of its line, and its fields with theirs.
///
/// All texts of all kinds lie in one block that is never freed, so that writing counts no references.
struct KindPlan {
  /// `,"kind":"…","phase":"…"`.
  let head: UnsafeRawBufferPointer
  let fields: UnsafeBufferPointer<FieldPlan>

  /// One field of a payload.
  struct FieldPlan {
    /// `,"name":`.
    let key: UnsafeRawBufferPointer
    let field: FieldShape
  }

  /// What is needed of a ``PayloadField`` to read it.
  struct FieldShape {
    let type: PayloadField.FieldType
    let offset: Int
    let end: Int
  }

  /// The plans of all kinds by number; nil where there is no kind.
  ///
  /// Made once and kept for the life of the process; declared kinds get theirs when they are first seen.
  static func all() -> UnsafeMutableBufferPointer<KindPlan?> {
    let plans = UnsafeMutableBufferPointer<KindPlan?>.allocate(capacity: EventKind.limit)
    plans.initialize(repeating: nil)
    for kind in EventKind.allKinds {
      guard let info = kind.info else { continue }
      plans[Int(kind.rawValue)] = KindPlan(info)
    }
    return plans
  }

  init(_ info: EventKindInfo) {
    head = permanent(#","kind":"\#(info.name)","phase":"\#(info.phase.name)""#)
    let shown = info.fields.filter { $0.name != "reserved" }
    let plans = UnsafeMutableBufferPointer<FieldPlan>.allocate(capacity: shown.count)
    _ = plans.initialize(
      from: shown.map {
        FieldPlan(
          key: permanent(#","\#($0.name)":"#),
          field: FieldShape(type: $0.type, offset: $0.offset, end: $0.offset + $0.width))
      })
    fields = UnsafeBufferPointer(plans)
  }
}

private func permanent(_ text: String) -> UnsafeRawBufferPointer {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
  copy.copyBytes(from: text.utf8)
  return UnsafeRawBufferPointer(copy)
}
