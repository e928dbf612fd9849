// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
public import KemonBus
internal import Synchronization

/// A macOS kernel in this process: real machine code with Kemon's hooks in it.
///
/// ```swift
/// let model = try KernelModel(release: session.release, dispatcher: dispatcher)
/// let result = try model.run(session)
/// try model.close()
/// ```
///
/// The code exists once in a process: one model at a time can have its hooks in a release's functions.
public final class KernelModel: Sendable {
  /// The kernel that it is.
  public let release: KernelRelease

  private let records: KernelRecords
  private let layout: kernel_oskext_layout
  private let start: OSKextStart
  private let monitor: KextMonitor
  // The kernel's kext lock: one load request at a time. Handlers of plugins run inside, none can take it.
  private let kextLock = Mutex(())

  /// Puts Kemon's hooks into the kernel image.
  ///
  /// - Parameters:
  ///   - release: which kernel to be.
  ///   - dispatcher: gets every event of the model.
  /// - Throws: when the image is not what Kemon knows, or another model has its hooks there.
  public init(
    release: KernelRelease = .macOS10_13_6, dispatcher: Dispatcher
  ) throws(KernelError) {
    self.release = release
    records = KernelRecords(dispatcher: dispatcher)
    layout = kernel_oskext_layout(
      kmod_info: release.kmodInfoOffset, string_text: release.stringTextOffset)
    start = try OSKextStart(release)
    monitor = try KextMonitor(start, layout: layout, records: records)
  }

  deinit {
    do {
      try monitor.close()
    } catch {
      // Going on would leave jumps to an object that is gone.
      preconditionFailure("Kemon's hooks can not be taken out of the kernel image: \(error)")
    }
  }

  /// Lets the session happen, and returns when it is over.
  ///
  /// Events happen on the calling thread; another thread that calls this meanwhile waits.
  ///
  /// - Throws: when the session needs another release, the model has been closed, or a hook that is put in on the way was refused.
  public func run(_ session: Session) throws(KernelError) -> SessionResult {
    guard session.release == release else {
      throw KernelError(
        .wrongRelease,
        "session \(session.name) needs \(session.release.name), the model is \(release.name)")
    }
    return try kextLock.withLock { _ throws(KernelError) in
      try monitor.checkOpen()
      let lane = Lane.current
      lane.process = session.process
      defer { lane.process = nil }
      let loader = KextLoader(session, start: start, layout: layout, records: records)
      for id in session.load { loader.request(id) }
      try monitor.check()
      return SessionResult(kexts: loader.outcomes)
    }
  }

  /// Takes the hooks out, and returns after the last call has left.
  ///
  /// Done at the end of the model's life otherwise.
  public func close() throws(KernelError) { try monitor.close() }
}
