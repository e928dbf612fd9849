// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonKernel
import KemonPluginHost

/// The lines at the end of a run, for people.
enum Summary {
  /// Prints the head lines, then what became of every event, then what each handler did.
  static func print(_ head: [(String, String)], _ report: FlowReport) {
    for (label, text) in head { Console.note(pad(label) + text) }
    for account in report.accounts { Console.note(pad("flow") + describe(account)) }
    for client in report.clients {
      Console.note(
        pad("client") + "\(client.number): \(client.offered.grouped) messages = "
          + "\(client.sent.grouped) sent + \(client.lost.grouped) lost")
    }
    for (plugin, worker) in report.workers where worker.deaths > 0 {
      Console.note(
        pad("worker") + "\(plugin): ended \(worker.deaths.grouped) times, the last "
          + worker.lastDeath)
    }
    if report.droppedOutput > 0 {
      Console.note(pad("output") + "\(report.droppedOutput.grouped) lines of plugins dropped")
    }
    if report.droppedLog > 0 {
      Console.note(pad("log") + "\(report.droppedLog.grouped) lines dropped")
    }
    if report.grownBytes >= growthTold {
      let mebibytes = report.grownBytes >> 20
      Console.note(
        pad("memory") + "\(mebibytes.grouped) MiB more than when the plugins had started")
    }
    let handlers = report.voters + report.observers
    for handler in handlers {
      if let text = describeFaults(handler) { Console.note(pad("faults") + text) }
    }
    if !handlers.isEmpty { Console.note(table(handlers)) }
    if !report.metrics.isEmpty { Console.note(MetricReport.text(report.metrics)) }
  }

  private static func table(_ handlers: [HandlerStatistics]) -> String {
    var table = Table("plugin", "handler", "calls", "filtered", "deny", "would", "faults", "mean")
    for handler in handlers {
      let mean =
        handler.timedCalls == 0
        ? "-"
        : KemonHostText.nanoseconds(
          Double(handler.timedNanoseconds) / Double(handler.timedCalls))
      table.add(
        handler.pluginName, handler.name, handler.calls.grouped, handler.filtered.grouped,
        handler.denies.grouped, handler.wouldDenies.grouped, handler.faults.grouped, mean)
    }
    return table.text
  }

  /// What a run may keep without being asked why.
  private static let growthTold: UInt64 = 64 << 20

  private static func pad(_ label: String) -> String {
    label + String(repeating: " ", count: max(1, 10 - label.count))
  }

  /// What is wrong with a handler beyond a count of faults; nil for nothing.
  private static func describeFaults(_ handler: HandlerStatistics) -> String? {
    guard let standing = handler.standing,
      handler.timeouts > 0 || standing.lateAnswers > 0 || standing.quarantines > 0
    else { return nil }
    let state = standing.isQuarantined ? ", its votes do not count now" : ""
    return "\(handler.pluginName)/\(handler.name): \(handler.timeouts.grouped) timeouts, "
      + "\(standing.lateAnswers.grouped) late answers, "
      + "\(standing.quarantines.grouped) quarantines\(state)"
  }

  private static func describe(_ account: SubscriberAccount) -> String {
    let stages = account.losses.named.map { "\($0.count.grouped) \($0.name)" }
    let place = stages.isEmpty ? "" : " [\(stages.joined(separator: ", "))]"
    return "\(account.name): \(account.produced.grouped) published = "
      + "\(account.delivered.grouped) delivered + \(account.muted.grouped) muted + "
      + "\(account.lost.grouped) lost\(place) "
      + "(\(account.isBalanced ? "balanced" : "NOT BALANCED"))"
  }
}
