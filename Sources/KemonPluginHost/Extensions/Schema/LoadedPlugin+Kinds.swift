// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

/// Kinds of a plugin's own, and events of these.
extension LoadedPlugin {
  /// Declares a kind: `declare` of `kemon.schema/1`.
  func declare(
    _ json: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<UInt16>?,
    _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> kemon_status {
    do throws(PluginRefusal) {
      guard isControlThread, state.withLock({ $0.stage == .creating }) else {
        throw PluginRefusal(
          KEMON_E_STATE, "kinds are declared in create, on the thread that calls it")
      }
      guard let json, let out else {
        throw PluginRefusal(KEMON_E_INVALID, "declare: json or kind is NULL")
      }
      let text = try ForeignStruct.text(json, limit: 64 * 1024, named: "declare: json")
      let declaration = try KindDeclaration(json: text, by: name)
      do throws(DeclarationError) {
        let kind = try EventKind.declare(declaration)
        ownKinds.bitwiseOr(kind.declaredBit, ordering: .relaxed)
        out.pointee = kind.rawValue
      } catch {
        throw PluginRefusal(KEMON_E_CONFLICT, "declare: \(error.description)")
      }
      return KEMON_OK
    } catch {
      if error.status == KEMON_E_INVALID { noteMisbehaviour() }
      return error.report(to: buffer)
    }
  }

  /// Whether a kind is one that this plugin has declared.
  func owns(_ kind: EventKind) -> Bool {
    kind.isDeclared && ownKinds.load(ordering: .relaxed) & kind.declaredBit != 0
  }

  /// Lets events of the plugin's kinds that were recorded be played, or made anew.
  func setMaking(_ isMaking: Bool) {
    for kind in EventKind.declaredKinds where owns(kind) {
      services.emissions?.setMade(kind, isMaking)
    }
  }

  /// Publishes an event of one of the plugin's kinds: `emit` of `kemon.schema/1`.
  func emit(
    _ kind: EventKind, about: UnsafePointer<kemon_event>?,
    values: UnsafeBufferPointer<kemon_value>
  ) -> kemon_status {
    guard owns(kind), let info = kind.info else {
      noteMisbehaviour()
      return KEMON_E_DENIED
    }
    guard values.count <= info.fields.count, values.baseAddress != nil || values.isEmpty,
      let size = Self.bytes(of: values, info)
    else {
      noteMisbehaviour()
      return KEMON_E_INVALID
    }
    let cause = about.map { RecordView(trusted: $0) }
    let depth = Emissions.nextDepth(about: cause)
    guard depth <= Emissions.depthLimit else { return KEMON_E_FULL }
    let strings = cause.map(Self.subjectBytes) ?? 0
    var builder = RecordBuilder(
      capacity: RecordView.headerSize + info.payloadSize + size + strings + 64)
    builder.begin(kind)
    builder.header.pointee.time_ns = services.clock.now()
    if let cause { builder.setSubject(of: cause) }
    for (field, value) in zip(info.fields, values) { builder.set(field, value) }
    // In a replay nobody waits for an answer, and observers are to lose nothing; but one may not wait for itself.
    let mayWait = services.mode != .run && !Observer.isCurrentThread
    guard let emissions = services.emissions else { return KEMON_E_UNSUPPORTED }
    return emissions.emit(&builder, depth: depth, mayWait: mayWait) ? KEMON_OK : KEMON_E_FULL
  }

  /// Bytes behind the values; nil when a value has none though it says so, or there are more than any record may have.
  private static func bytes(
    of values: UnsafeBufferPointer<kemon_value>, _ info: EventKindInfo
  ) -> Int? {
    var size: UInt64 = 0
    for (field, value) in zip(info.fields, values) where field.type.isReference {
      guard value.bytes != nil || value.len == 0, value.len <= UInt64(recordLimit) else {
        return nil
      }
      size += value.len + 1
    }
    return size <= UInt64(recordLimit) ? Int(size) : nil
  }

  /// The largest record that a ring takes is twice as large.
  private static let recordLimit = 128 * 1024

  private static func subjectBytes(_ record: RecordView) -> Int {
    let subject = record.subject
    return [subject.exe, subject.comm, subject.parent].reduce(0) {
      $0 + record.bytes($1).count + 1
    }
  }
}

extension EventKind {
  /// The bit of a declared kind in a word.
  fileprivate var declaredBit: UInt64 { 1 << UInt64(declaredIndex) }
}

extension RecordBuilder {
  /// Copies who acts, and the number of the operation, from another record.
  fileprivate mutating func setSubject(of cause: RecordView) {
    var subject = cause.subject
    subject.exe = copy(subject.exe, of: cause)
    subject.comm = copy(subject.comm, of: cause)
    subject.parent = copy(subject.parent, of: cause)
    header.pointee.subject = subject
    header.pointee.corr = cause.event.pointee.corr
    header.pointee.flags |= cause.event.pointee.flags & UInt16(KEMON_EV_TRUNCATED)
  }

  private mutating func copy(_ string: kemon_str, of cause: RecordView) -> kemon_str {
    string.off == 0 ? kemon_str() : text(cause.bytes(string))
  }

  /// Sets one field of the payload.
  fileprivate mutating func set(_ field: PayloadField, _ value: kemon_value) {
    var string = kemon_str()
    if let bytes = value.bytes, field.type.isReference {
      string = text(UnsafeRawBufferPointer(start: bytes, count: Int(value.len)))
    }
    let place = UnsafeMutableRawPointer(header) + Int(header.pointee.payload_off) + field.offset
    switch field.type {
    case .u16: place.storeBytes(of: UInt16(truncatingIfNeeded: value.number), as: UInt16.self)
    case .u32, .i32: place.storeBytes(of: UInt32(truncatingIfNeeded: value.number), as: UInt32.self)
    case .u64, .i64, .addr: place.storeBytes(of: value.number, as: UInt64.self)
    case .str, .list, .bytes: place.storeBytes(of: string, as: kemon_str.self)
    }
  }
}
