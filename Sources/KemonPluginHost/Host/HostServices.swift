// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import KemonBus
import KemonEvents

/// What all plugins of a host share.
struct HostServices: Sendable {
  /// The name and version that plugins see.
  static let name = "kemon-host"
  static let version = "0.1.0"
  /// The newest ABI that this host speaks: major in the upper half, minor in the lower.
  static let abi = KEMON_ABI_MAJOR << 16 | KEMON_ABI_MINOR

  let mode: PluginMode
  /// Votes are recorded, but decide nothing.
  let isMonitoring: Bool
  let clock: EventClock
  let output: any OutputSink
  let log: any LogSink
  /// Publishes what plugins emit; nil in a worker, which has no such extension.
  var emissions: Emissions?
  /// Calls plugins when it is time; nil in a worker.
  var timers: EventTimers?
  /// The answers that are remembered; nil in a worker.
  var cache: VerdictCache?
  /// Where plugins may have folders of their own; nil for nowhere.
  var dataDirectory: String?
  /// Nanoseconds that a control function may take before the operator is told.
  var patience: UInt64 = 5_000_000_000
  var pluginNames = NameRegistry { ckemon_crash_set_plugin_names($0) }
  var handlerNames = NameRegistry { ckemon_crash_set_handler_names($0) }
  /// This process is a worker: the host is another one.
  var isWorker = false
  /// How plugins get a process of their own; nil in a worker.
  var workers: WorkerServices?
  /// What handlers may name beside kinds; nil for nothing.
  var operations: OperationCatalog?
  /// What plugins offer to each other.
  let typed = ServiceRegistry()
  /// How long handlers may take, as the operator says.
  var budgets = CallBudgets()
  /// The threads that handlers with a budget run on.
  let lanes = LanePool()

  /// Whether votes of plugins count about which nothing else was decided.
  var votingMode: VotingMode { isMonitoring ? .monitor : .enforce }
}
