// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonPlatform

/// What all workers of a host share.
final class WorkerServices: Sendable {
  let program: WorkerProgram
  let limits: WorkerLimits
  private let shared = PosixLock<WorkerPage?>(nil)

  init(program: WorkerProgram, limits: WorkerLimits) {
    self.program = program
    self.limits = limits
  }

  /// The page, made with the first worker; from then on it has all names.
  func page(_ services: HostServices) throws(WorkerFailure) -> WorkerPage {
    try shared.withLock { page throws(WorkerFailure) in
      if let page { return page }
      let new = try WorkerPage()
      services.pluginNames.mirror(to: new, as: .plugin)
      services.handlerNames.mirror(to: new, as: .handler)
      page = new
      return new
    }
  }

  /// Tells workers what time it is, when the clock is virtual.
  func tell(time: UInt64) { shared.withLock { $0?.time = time } }

  /// How many lanes a worker has.
  var laneCount: Int {
    limits.lanes > 0 ? limits.lanes : min(max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1), 4)
  }
}
