// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// A record of any kind with a value of its own in every field, made from the schema.
func makeSample(_ kind: EventKind, _ builder: inout RecordBuilder) {
  builder.begin(kind)
  builder.header.pointee.corr = 7
  builder.header.pointee.time_ns = 1_533_146_136_647_081_000
  builder.header.pointee.subject = kemon_subject(
    start_ns: 1_533_146_000_000_000_000, pid: 59, tid: 60, ppid: 1, uid: 0, gid: 20, flags: 0,
    exe: builder.text("/usr/libexec/kextd"), comm: builder.text("kextd"),
    parent: builder.text("launchd"))
  let payload = Int(builder.header.pointee.payload_off)
  for (index, field) in (kind.info?.fields ?? []).enumerated() where field.name != "reserved" {
    if field.type.isReference {
      let text =
        field.type == .list
        ? builder.list(["first", "\(field.name) \(index)"]) : builder.text("\(field.name) \(index)")
      store(text, payload + field.offset, &builder)
    } else {
      switch field.width {
      case 2: store(UInt16(0x0100 + index), payload + field.offset, &builder)
      case 4: store(UInt32(0x0001_0000 + index), payload + field.offset, &builder)
      default: store(UInt64(0x0001_0000_0000) + UInt64(index), payload + field.offset, &builder)
      }
    }
  }
  builder.seal()
}

private func store<Value: BitwiseCopyable>(
  _ value: Value, _ offset: Int, _ builder: inout RecordBuilder
) {
  UnsafeMutableRawPointer(builder.header).storeBytes(
    of: value, toByteOffset: offset, as: Value.self)
}
