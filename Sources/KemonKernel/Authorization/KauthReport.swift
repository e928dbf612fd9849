// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents

/// What the original's listener does with a request: one way for each scope.
struct KauthReport: Sendable {
  let records: KernelRecords
  /// What paths must begin with to be told of.
  let prefix: [UInt8]

  func answer(_ request: KauthRequest, _ lane: Lane) -> KauthAnswer {
    switch KauthScope(rawValue: request.scope) {
    case .fileOperation: fileOperation(request, lane)
    case .process: return process(request, lane)
    case .generic where request.action == UInt32(KERNEL_KAUTH_GENERIC_ISSUSER):
      write("action=KAUTH_GENERIC_ISSUSER", request, lane, arguments(of: request))
    case .vnode: vnode(request, lane)
    default:
      let words = ", action=\(request.action)" + arguments(of: request)
      records.log(Self.prefix + "scope=\(request.scope)\(words).", from: Self.source)
    }
    return .defer
  }

  private static let source = "Kemon"
  private static let prefix = "[Kemon.kext] : "

  // MARK: com.apple.kauth.fileop

  /// Tells of it as the original did: afterwards, and the kernel does not care what is answered.
  private func fileOperation(_ request: KauthRequest, _ lane: Lane) {
    guard let action = FileOperationAction(rawValue: request.action) else { return }
    if action == .execute { return execution(request, lane) }
    let operation = lane.files.begin(nil)
    defer { lane.files.end() }
    let isWanted = request.withPathBytes(of: action) { first, second in
      operation.pointee.path.set(first)
      operation.pointee.other.set(second)
      // Of two paths one is enough.
      return first.starts(with: prefix) || second?.starts(with: prefix) == true
    }
    guard isWanted else { return }
    operation.pointee.describe(request, action, openMode: lane.files.openMode)
    records.fileDone(operation, error: 0)
  }

  /// The command line is no argument: the original looked for it in the frames of the functions that had called it.
  private func execution(_ request: KauthRequest, _ lane: Lane) {
    request.withPathBytes(of: .execute) { path, _ in
      if path.starts(with: prefix) { records.execHeard(path, lane.processes.parameters) }
    }
  }

  // MARK: com.apple.kauth.process

  /// Nobody may trace anybody.
  private func process(_ request: KauthRequest, _ lane: Lane) -> KauthAnswer {
    guard request.action == UInt32(KERNEL_KAUTH_PROCESS_CANTRACE),
      let target = UnsafeRawPointer(bitPattern: request.arguments.0)
    else { return .defer }
    let debuggee = ProcessContext.of(process: target).process
    records.log(
      Self.prefix + "action=KAUTH_PROCESS_CANTRACE, uid=\(request.user)"
        + Self.actor("debugger", lane) + ", debuggee(pid \(debuggee.pid))=\(debuggee.comm).",
      from: Self.source)
    request.suggest(.EPERM)
    return .deny
  }

  // MARK: com.apple.kauth.vnode, and others

  private func vnode(_ request: KauthRequest, _ lane: Lane) {
    guard let node = request.vnode else { return }
    let path = KauthRequest.path(of: node) ?? ""
    let directory = KauthRequest.path(of: UnsafeMutablePointer(bitPattern: request.arguments.2))
    guard path.utf8.starts(with: prefix) || directory?.utf8.starts(with: prefix) == true else {
      return
    }
    let isDirectory = Int32(node.pointee.v_type) == KERNEL_VDIR
    let actions = VnodeActions(rawValue: request.action).text(isDirectory: isDirectory)
    let parent = directory.map { ", directory's vnode path=\($0)" } ?? ""
    write("action=\(actions)", request, lane, ", vnode path=\(path)\(parent)")
  }

  private func write(_ what: String, _ request: KauthRequest, _ lane: Lane, _ details: String) {
    records.log(
      Self.prefix + "\(what), uid=\(request.user)\(Self.actor("process", lane))\(details).",
      from: Self.source)
  }

  private func arguments(of request: KauthRequest) -> String {
    let words = request.arguments
    return [words.0, words.1, words.2, words.3].enumerated().map { index, word in
      ", arg\(index)=0x\(String(word, radix: 16))"
    }.joined()
  }

  private static func actor(_ role: String, _ lane: Lane) -> String {
    let process = lane.process
    return ", \(role)(pid \(process?.pid ?? 0))=\(process?.comm ?? "")"
      + ", parent(ppid \(process?.ppid ?? 0))=\(process?.parent ?? "")"
  }
}

extension FileOperation {
  /// Takes what a listener is told.
  ///
  /// - Parameter openMode: the flags of the open that the thread is in; nil when nobody knows them.
  fileprivate mutating func describe(
    _ request: KauthRequest, _ action: FileOperationAction, openMode: Int32?
  ) {
    device = 0
    inode = 0
    flags = 0
    mode = 0
    if let vnode = request.vnode { take(vnode) }
    switch action {
    case .open:
      kind = FileKind.opened(path.bytes, mode: openMode)
      flags = openMode.map { $0 - 1 } ?? 0
    case .close:
      kind = .close
      flags = request.arguments.2 & UInt(KERNEL_KAUTH_FILEOP_CLOSE_MODIFIED) != 0 ? 1 : 0
    case .rename: kind = .rename
    case .exchange: kind = .exchange
    case .link: kind = .link
    case .delete: kind = .delete
    case .willRename: kind = .willRename
    case .execute: break
    }
  }
}
