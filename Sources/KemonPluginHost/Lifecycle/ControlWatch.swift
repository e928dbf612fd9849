// SPDX-License-Identifier: Apache-2.0

import KemonBus

/// Tells the operator when a plugin does not return from one of its control functions.
///
/// Code in this process cannot be stopped from outside; but whoever waits shall know for whom.
enum ControlWatch {
  /// Runs a control function, and has the log say so while it takes longer than it should.
  ///
  /// - Parameters:
  ///   - patience: nanoseconds until the first line; the time doubles for each further line.
  ///   - call: the function, for the line.
  static func during<Result>(
    _ call: String, of plugin: String, patience: UInt64, log: any LogSink, _ body: () -> Result
  ) -> Result {
    let isDone = FutexWord()
    let watch = WorkerThread(named: "watch") {
      let start = EventClock.monotonic()
      var delay = patience
      while isDone.value == 0 {
        let elapsed = EventClock.monotonic() - start
        if elapsed < delay {
          isDone.wait(from: 0, nanoseconds: delay - elapsed)
        } else {
          let seconds = Double(elapsed / 100_000_000) / 10
          log.log(.warn, source: "host", "plugin \(plugin) has been in \(call) for \(seconds) s")
          delay *= 2
        }
      }
    }
    defer {
      isDone.signal()
      watch.join()
    }
    return body()
  }
}
