// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

// Unchecked: the sources are only made and cancelled; the caught signal is atomic.
/// Turns the first SIGINT or SIGTERM into a call, so that a run can be drained; the second one ends the process.
final class SignalWatch: @unchecked Sendable {
  private static let numbers = [SIGINT, SIGTERM]
  private let caught = Atomic<Int32>(0)
  private var sources: [any DispatchSourceSignal] = []

  /// The signal that arrived; 0 for none.
  var signal: Int32 { caught.load(ordering: .acquiring) }

  /// Watches from now on, as long as the object lives.
  ///
  /// - Parameter body: called once with the signal, on a thread of its own.
  init(_ body: @escaping @Sendable (Int32) -> Void) {
    for number in Self.numbers {
      Glibc.signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [weak self] in
        self?.caught.store(number, ordering: .releasing)
        for number in Self.numbers { Glibc.signal(number, SIG_DFL) }
        body(number)
      }
      source.activate()
      sources.append(source)
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in Self.numbers { Glibc.signal(number, SIG_DFL) }
  }
}
