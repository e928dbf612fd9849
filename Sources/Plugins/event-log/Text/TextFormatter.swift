// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Writes records as the lines of the original, in one of its dialects.
///
/// Kinds that the original did not know get a line in the same style, named by their constant.
struct TextFormatter {
  let dialect: Dialect
  /// How packets are dumped.
  let width: HexDump
  /// The listing of a hook that was put in for a kext whose start has not been seen yet.
  private var attached: HeldListing?
  /// The operation of the policy that was blocked last, until its post side has come.
  var blockedPolicy: UInt64 = 0

  init(dialect: Dialect, width: HexDump = .bytes) {
    self.dialect = dialect
    self.width = width
  }

  /// Appends the lines of one record.
  mutating func append(_ record: RecordView, to line: inout LineBuffer) {
    if record.event.pointee.flags & UInt16(KEMON_EV_GAP_BEFORE) != 0 {
      line.append(Dialect.prefix)
      line.append("Events before this one were lost.\n")
    }
    switch Int(record.kind.rawValue) {
    case KEMON_KIND_FILE_OPEN: file("KAUTH_FILEOP_OPEN", record, &line)
    case KEMON_KIND_FILE_CREATE: file("KAUTH_FILEOP_CREATE", record, &line)
    case KEMON_KIND_FILE_CLOSE: fileClose(record, &line)
    case KEMON_KIND_FILE_RENAME: pair("KAUTH_FILEOP_RENAME", "from", "to", record, &line)
    case KEMON_KIND_FILE_EXCHANGE: pair("KAUTH_FILEOP_EXCHANGE", "file1", "file2", record, &line)
    case KEMON_KIND_FILE_LINK: pair("KAUTH_FILEOP_LINK", "original", "new", record, &line)
    case KEMON_KIND_PROCESS_EXEC: exec("KAUTH_FILEOP_EXEC", record, &line)
    case KEMON_KIND_FILE_DELETE: file("KAUTH_FILEOP_DELETE", record, &line)
    case KEMON_KIND_FILE_WILL_RENAME: pair("KAUTH_FILEOP_WILL_RENAME", "from", "to", record, &line)
    case KEMON_KIND_FILE_WRITE: file("KAUTH_FILEOP_WRITE_OR_APPEND", record, &line)
    case KEMON_KIND_DEVICE_OPEN: file("KAUTH_DEVICE_OPEN", record, &line)
    case KEMON_KIND_NET_TCP_DETACH: detach("TCP", record, &line)
    case KEMON_KIND_NET_UDP_DETACH: detach("UDP", record, &line)
    case KEMON_KIND_NET_DNS_QUERY: dnsQuery(record, &line)
    case KEMON_KIND_DYLIB_MAP: dylib(record, &line)
    case KEMON_KIND_KEXT_START_PRE: kextPre(record, &line)
    case KEMON_KIND_KEXT_START: kextPost(record, &line)
    case KEMON_KIND_MAC_POLICY_REGISTER_PRE: policyPre(record, &line)
    case KEMON_KIND_MAC_POLICY_REGISTER: policyPost("MAC_POLICY_REGISTER", record, &line)
    case KEMON_KIND_MAC_POLICY_LIST: policyListed(record, &line)
    case KEMON_KIND_MAC_POLICY_UNREGISTER_PRE:
      policyPost("MAC_POLICY_UNREGISTER_PRE", record, &line)
    case KEMON_KIND_MAC_POLICY_UNREGISTER: policyPost("MAC_POLICY_UNREGISTER", record, &line)
    case KEMON_KIND_MAC_OP_PRE: macOperation("MAC_OP_PRE", record, &line)
    case KEMON_KIND_MAC_OP: macOperation("MAC_OP", record, &line)
    case KEMON_KIND_HOOK_ATTACH: hookAttach(record, &line)
    case KEMON_KIND_KERNEL_LOG: kernelLog(record, &line)
    case KEMON_KIND_FILE_OPEN_PRE: file("FILE_OPEN_PRE", record, &line)
    case KEMON_KIND_FILE_CREATE_PRE: file("FILE_CREATE_PRE", record, &line)
    case KEMON_KIND_FILE_RENAME_PRE: pair("FILE_RENAME_PRE", "from", "to", record, &line)
    case KEMON_KIND_FILE_EXCHANGE_PRE: pair("FILE_EXCHANGE_PRE", "file1", "file2", record, &line)
    case KEMON_KIND_FILE_LINK_PRE: pair("FILE_LINK_PRE", "original", "new", record, &line)
    case KEMON_KIND_PROCESS_EXEC_PRE: exec("PROCESS_EXEC_PRE", record, &line)
    case KEMON_KIND_FILE_DELETE_PRE: file("FILE_DELETE_PRE", record, &line)
    case KEMON_KIND_FILE_WRITE_PRE: file("FILE_WRITE_PRE", record, &line)
    case KEMON_KIND_DEVICE_OPEN_PRE: file("DEVICE_OPEN_PRE", record, &line)
    case KEMON_KIND_FILE_LOOKUP_PRE: file("FILE_LOOKUP_PRE", record, &line)
    case KEMON_KIND_FILE_LOOKUP: file("FILE_LOOKUP", record, &line)
    case KEMON_KIND_NET_CONNECT_PRE: connect("NET_CONNECT_PRE", record, &line)
    case KEMON_KIND_NET_CONNECT: connect("NET_CONNECT", record, &line)
    case KEMON_KIND_NET_PACKET: packet(record, &line)
    case KEMON_KIND_PROCESS_FORK_PRE: process("PROCESS_FORK_PRE", "child", record, &line)
    case KEMON_KIND_PROCESS_FORK: process("PROCESS_FORK", "child", record, &line)
    case KEMON_KIND_PROCESS_TRACE_PRE: process("PROCESS_TRACE_PRE", "debuggee", record, &line)
    case KEMON_KIND_PROCESS_TRACE: process("PROCESS_TRACE", "debuggee", record, &line)
    case KEMON_KIND_PROCESS_EXEC_COMMIT: exec("PROCESS_EXEC_COMMIT", record, &line)
    case KEMON_KIND_PROCESS_EXIT: processExit(record, &line)
    case KEMON_KIND_DYLIB_INVALID: invalidPage(record, &line)
    case KEMON_KIND_KEXT_STOP_PRE: kextStop("KEXT_STOP_PRE", record, &line)
    case KEMON_KIND_KEXT_STOP: kextStop("KEXT_STOP", record, &line)
    default: unknown(record, &line)
    }
  }

  /// Appends what is still held back when no more records come.
  mutating func finish(_ line: inout LineBuffer) { flushListing(&line) }

  // MARK: Hooks and the kernel's log

  /// A hook for a kext is shown inside the lines of the kext's start, which come next.
  private mutating func hookAttach(_ record: RecordView, _ line: inout LineBuffer) {
    guard let hook = record.view(of: kemon_hook_attach.self) else { return unknown(record, &line) }
    flushListing(&line)
    if hook.subject.isEmpty {
      HeldListing(hook, dialect).appendAlone(to: &line)
    } else {
      attached = HeldListing(hook, dialect)
    }
  }

  /// Appends the held listing: as part of the start of this kext if it is its own, alone otherwise.
  mutating func appendListing(ofKext name: RecordText, to line: inout LineBuffer) {
    guard let listing = attached, listing.isFor(name) else { return }
    attached = nil
    listing.appendAsCall(to: &line)
  }

  /// Appends a held listing that belongs to another kext, alone.
  mutating func flushListing(unlessFor name: RecordText, _ line: inout LineBuffer) {
    if let listing = attached, !listing.isFor(name) { flushListing(&line) }
  }

  private mutating func flushListing(_ line: inout LineBuffer) {
    attached?.appendAlone(to: &line)
    attached = nil
  }

  private func kernelLog(_ record: RecordView, _ line: inout LineBuffer) {
    guard let log = record.view(of: kemon_kernel_log.self) else { return unknown(record, &line) }
    line.append(log.text)
    line.append("\n")
  }

  /// A kind of another version, or a payload shorter than this version's.
  func unknown(_ record: RecordView, _ line: inout LineBuffer) {
    line.append(Dialect.prefix)
    line.append("action=UNKNOWN(")
    line.append(hex: UInt64(record.kind.rawValue))
    line.append(")")
    line.append(actorOf: record)
    line.append(".\n")
  }
}
