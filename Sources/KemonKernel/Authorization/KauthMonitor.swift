// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonPlatform

// Unchecked: immutable but for what is behind locks.
/// The original Kemon's own listener, with its configuration string.
///
/// It can tell what was done to files, refuse tracing, and write other requests to the log. What it can not do is what
/// the hooks are for (``FilesMonitor``); both can be there at once, and each tells what it sees.
final class KauthMonitor: @unchecked Sendable {
  private let kauth: KauthScopes
  private let records: KernelRecords
  private let state = PosixLock(State())

  private struct State {
    var text = ""
    var active: (listener: KauthListener, gate: CallGate)?
  }

  init(_ kauth: KauthScopes, records: KernelRecords) {
    self.kauth = kauth
    self.records = records
  }

  /// The configuration string as it was set last, good or not.
  var text: String { state.withLock { $0.text } }

  /// Takes a configuration string, and returns when the last call of the listener before has left.
  ///
  /// One that says nothing is kept and changes nothing, as in the original.
  ///
  /// - Returns: whether it said something.
  /// - Throws: EDEADLK inside a listener, which would wait for itself; EINVAL for a text longer than the kernel takes;
  ///   ENOMEM when all slots of the scope are taken: nobody listens then.
  @discardableResult
  func configure(_ text: String) throws(DarwinErrno) -> Bool {
    guard text.utf8.count <= KauthConfiguration.limit else { throw .EINVAL }
    guard Lane.current.files.listening == 0 else { throw .EDEADLK }
    return try state.withLock { state throws(DarwinErrno) in
      state.text = text
      guard let configuration = KauthConfiguration(parsing: text) else { return false }
      remove(&state)
      if case .add(let scope, let prefix) = configuration { try listen(scope, prefix, &state) }
      return true
    }
  }

  /// Stops listening; the same rules.
  func close() { state.withLock { remove(&$0) } }

  private func remove(_ state: inout State) {
    guard let active = state.active.take() else { return }
    kauth.unlisten(active.listener)
    active.gate.close()
  }

  private func listen(
    _ scope: String, _ prefix: [UInt8], _ state: inout State
  ) throws(DarwinErrno) {
    let gate = CallGate()
    let report = KauthReport(records: records, prefix: prefix)
    let listener = kauth.listen(to: scope) { request in
      let lane = Lane.current
      let answer = gate.pass(lane.number) {
        lane.files.listening += 1
        defer { lane.files.listening -= 1 }
        return report.answer(request, lane)
      }
      return answer ?? .defer
    }
    guard let listener else { throw .ENOMEM }
    state.active = (listener, gate)
  }
}
