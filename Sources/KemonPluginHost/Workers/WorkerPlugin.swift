// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonText
import Synchronization

// Unchecked: constants, and a state behind a lock.
/// The host's side of a plugin in a process of its own: to the rest of the host it is a plugin like any other, whose
/// functions happen to be these.
///
/// ```
/// LoadedPlugin ──create, start, save, destroy──▶ WorkerPlugin ──frames──▶ worker: LoadedPlugin ──▶ the plugin
/// Dispatcher, Observer ──▶ WorkerHandler ──lane, feed──▶ worker's threads ──▶ the handler
/// ```
final class WorkerPlugin: @unchecked Sendable {
  let name: String
  let limits: WorkerLimits
  let services: HostServices
  let hello: JSONValue
  let plan: WorkerProcess.Plan
  let state = PosixLock(State())
  /// Signalled when the supervisor is to look again.
  let wake = FutexWord()

  struct State {
    /// The process, while questions can be asked.
    var link: WorkerProcess?
    /// One that is to take the place of the last, while it is made ready.
    var successor: WorkerProcess?
    var supervisor: WorkerThread?
    var isEnding = false
    /// It was asked to stop while it lived: its end is no accident.
    var isAsked = false
    var isRunning = false
    /// Its plugin was started.
    var hasRun = false
    var handlers: [UInt32: (handler: WorkerHandler, token: UInt64)] = [:]
    var concurrency = UInt32(KEMON_CONC_FREE)
    var saved: [UInt8] = []
    var canSave = false
    /// It did not, when it was asked last.
    var cannotSave = false
    /// Questions that nobody waits for any more, by lane.
    var overdue: [Int: Overdue] = [:]
    var report = WorkerReport()
    var lastLost: UInt64 = .max
    unowned var host: LoadedPlugin?
  }

  struct Overdue: Equatable {
    let process: WorkerProcess
    let number: UInt64
    /// When the handler had had its time.
    let since: UInt64

    static func == (left: Overdue, right: Overdue) -> Bool {
      left.process === right.process && left.number == right.number
    }
  }

  init(
    _ candidate: PluginScanner.Candidate, id: UInt32, configuration: JSONValue,
    grants: Set<String>, services: HostServices, workers: WorkerServices
  ) throws(PluginProblem) {
    name = candidate.manifest.name
    limits = workers.limits
    self.services = services
    do throws(WorkerFailure) {
      let page = try workers.page(services)
      plan = WorkerProcess.Plan(
        program: workers.program,
        command: candidate.command.map {
          WorkerCommand($0, grants: grants.sorted(), limits: workers.limits)
        },
        image: candidate.image, page: page, transport: candidate.command == nil ? .ring : .socket,
        lanes: candidate.command == nil ? workers.laneCount : 1)
    } catch {
      throw PluginProblem(
        .createFailed, file: candidate.file, plugin: candidate.manifest.name,
        found: error.description, needed: "a process of its own")
    }
    hello =
      WorkerHello(
        mode: services.mode, isMonitoring: services.isMonitoring, id: id, name: name,
        file: candidate.file, configuration: configuration, lanes: plan.lanes,
        transport: plan.transport, grants: grants.sorted(), limits: workers.limits,
        kernel: services.operations?.running,
        schema: candidate.command == nil ? nil : WorkerSchema.json
      ).json
  }

  /// What can be told about it.
  var report: WorkerReport {
    state.withLock { state in
      var report = state.report
      report.pid = state.link?.pid ?? 0
      return report
    }
  }

  // MARK: Events

  /// Asks a handler in the worker: what the dispatcher calls.
  func ask(
    _ handler: WorkerHandler, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> kemon_status {
    let (link, concurrency) = state.withLock { ($0.isRunning ? $0.link : nil, $0.concurrency) }
    guard let link else { return StandInStatus.absent }
    let allowance = CallBudget.allowance(
      handler.limit, deadline: event.pointee.deadline_ns, now: services.clock.now())
    guard allowance > 0 else { return StandInStatus.noTurn }
    tellTime(event)
    let number = laneNumber(concurrency, event, of: link.lanes.count)
    let lane = link.lanes[number]
    let begin = EventClock.monotonic()
    switch lane.ask(handler.id, event, verdict, deadline: begin + allowance) {
    case .answered(let status): return status
    case .absent: return StandInStatus.absent
    case .died: return StandInStatus.died
    case .noTurn:
      // What it is at instead may be a question that was given up before its turn: nobody else watches that one.
      let next = lane.next
      if let activity = lane.activity, let other = handlerOf(activity) {
        let now = EventClock.monotonic()
        note(Overdue(process: link, number: next, since: now + other.budget), in: number)
      }
      return StandInStatus.noTurn
    case .timedOut(let question):
      // The event may have had less time than the handler has.
      note(Overdue(process: link, number: question, since: begin + handler.budget), in: number)
      return StandInStatus.timedOut
    }
  }

  private func note(_ overdue: Overdue, in lane: Int) {
    state.withLock { state in
      guard state.link === overdue.process else { return }
      // Of two of the same process the later one: the worker has begun it after the other.
      if let known = state.overdue[lane], known.process === overdue.process,
        known.number > overdue.number
          || (known.number == overdue.number && known.since <= overdue.since)
      {
        return
      }
      state.overdue[lane] = overdue
    }
  }

  /// The handler that a worker is in.
  func handlerOf(_ activity: WorkerActivity) -> WorkerHandler? {
    state.withLock { $0.handlers[activity.handler]?.handler }
  }

  /// Which lane an event takes: those that the plugin wants one after the other take the same one.
  private func laneNumber(
    _ concurrency: UInt32, _ event: UnsafePointer<kemon_event>, of count: Int
  ) -> Int {
    switch Int32(concurrency) {
    case KEMON_CONC_FREE: WorkerThread.currentNumber % count
    case KEMON_CONC_PER_SUBJECT: Int(UInt32(bitPattern: event.pointee.subject.pid)) % count
    default: 0
    }
  }

  /// During a replay the worker's clock stands at the event, too.
  private func tellTime(_ event: UnsafePointer<kemon_event>) {
    if services.mode == .replay { services.workers?.tell(time: services.clock.now()) }
  }

  /// Passes an event on to a handler that observes: what the observer's thread calls, which may wait.
  func forward(_ handler: WorkerHandler, _ event: UnsafePointer<kemon_event>) -> kemon_status {
    tellTime(event)
    var standstill = Standstill()
    while true {
      guard let link = state.withLock({ $0.isRunning ? $0.link : nil }), !link.hasEnded else {
        return lose(event)
      }
      if link.feed.send(handler.id, event) { return KEMON_OK }
      if standstill.hasLasted(limits.stopTime, at: link.feed.taken) {
        services.log.log(
          .error, source: "host", "plugin \(name): its observer does not go on; its worker is ended"
        )
        link.kill()
        return lose(event)
      }
      usleep(50)
    }
  }

  /// The account of the host's observer, which only passes events on, as that of the plugin's.
  func account(_ account: SubscriberAccount) -> SubscriberAccount {
    let (lost, link) = state.withLock { ($0.report.lost, $0.link) }
    let pending = link?.feed.pending ?? 0
    var account = account
    let isLost = min(lost, account.delivered)
    account.delivered -= isLost
    account.lost += isLost
    account.losses.abandoned += isLost
    let isPending = min(pending, account.delivered)
    account.delivered -= isPending
    account.pending += isPending
    return account
  }

  private func lose(_ event: UnsafePointer<kemon_event>) -> kemon_status {
    state.withLock { state in
      // An event is lost once, however many handlers were to see it.
      if state.lastLost != event.pointee.seq { state.report.lost += 1 }
      state.lastLost = event.pointee.seq
    }
    return KEMON_E_FAILED
  }
}

/// Since when something stands still.
struct Standstill {
  private var place: UInt64 = .max
  private var since: UInt64 = 0

  mutating func hasLasted(_ nanoseconds: UInt64, at now: UInt64) -> Bool {
    let time = EventClock.monotonic()
    if now != place { (place, since) = (now, time) }
    return time - since >= nanoseconds
  }
}
