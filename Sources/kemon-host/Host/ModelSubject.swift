// SPDX-License-Identifier: Apache-2.0

import KemonKernel

/// What happens in the kernel model.
enum ModelSubject {
  /// A session, step by step.
  case session(Session)
  /// A generated load, on a kernel.
  case load(GeneratedLoad, KernelRelease)

  /// The kernel that it needs.
  var release: KernelRelease {
    switch self {
    case .session(let session): session.release
    case .load(_, let release): release
    }
  }

  /// For people and for recordings.
  var title: String {
    switch self {
    case .session(let session): "session \(session.name)"
    case .load(let load, _):
      "load of \(LoadReport.describe(load.amount)), seed \(load.seed), threads \(load.threads)"
    }
  }

  /// Lets it happen.
  ///
  /// - Parameter isVerbose: say also what did not fail.
  /// - Returns: lines of the summary.
  func run(
    on model: KernelModel, isVerbose: Bool
  ) throws(KernelError) -> [(String, String)] {
    switch self {
    case .session(let session):
      return StepReport.lines(try model.run(session), all: isVerbose)
    case .load(let load, _):
      let start = ContinuousClock.now
      let result = try model.run(load)
      return LoadReport.lines(result, duration: ContinuousClock.now - start)
    }
  }
}
