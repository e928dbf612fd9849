// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonKernel
import Testing

/// A record of the model, copied.
struct Seen: Equatable, CustomStringConvertible {
  var kind: String
  var phase: EventPhase
  var corr: UInt64 = 0
  var result: Int32 = 0
  var verdict: VerdictAction = .abstain
  var status: Int32 = 0
  var base: UInt64 = 0
  var size: UInt64 = 0
  var name = ""
  var version = ""
  var path = ""
  var source = ""
  var text = ""
  var comm = ""
  var parent = ""
  var pid: Int32 = 0
  var ppid: Int32 = 0
  var uid: UInt32 = 0

  init(_ record: RecordView) {
    kind = record.kind.info?.name ?? "?"
    phase = record.phase
    corr = record.event.pointee.corr
    result = record.event.pointee.result
    verdict = record.verdict
    let subject = record.subject
    (pid, ppid, uid) = (subject.pid, subject.ppid, subject.uid)
    (comm, parent) = (record.text(subject.comm), record.text(subject.parent))
    if kind.hasPrefix("kext."), let kext = record.view(of: kemon_kext.self) {
      (status, base, size) = (kext.status, kext.base, kext.module_size)
      (name, version, path) = (kext.name.string, kext.version.string, kext.path.string)
    }
    if kind == "kernel.log", let line = record.view(of: kemon_kernel_log.self) {
      (source, text) = (line.source.string, line.text.string)
    }
    if kind == "hook.attach", let hook = record.view(of: kemon_hook_attach.self) {
      (name, source, text) = (hook.function.string, hook.subject.string, hook.listing.string)
    }
  }

  var description: String {
    switch kind {
    case "kext.start": "\(phase.name) \(name) \(status)"
    case "kext.stop": "\(phase.name) stop \(name) \(status)"
    case "kernel.log": "\(source): \(text)"
    default: "\(kind) \(source)"
    }
  }
}

/// What the plugin of a test says about kexts, by their identifiers.
final class Rules: Sendable {
  /// What happens to their routines.
  struct Answers: Sendable {
    var denied: [String: Int32] = [:]
    var replaced: [String: Int64] = [:]
  }

  private let start: Answers
  private let stop: Answers

  init(
    denied: [String: Int32] = [:], replaced: [String: Int64] = [:], stop: Answers = Answers()
  ) {
    start = Answers(denied: denied, replaced: replaced)
    self.stop = stop
  }

  /// The handler before and the one after.
  var handlers: [Handler] {
    [
      handler("pre", [KEMON_KIND_KEXT_START_PRE, KEMON_KIND_KEXT_STOP_PRE]),
      handler("post", [KEMON_KIND_KEXT_START, KEMON_KIND_KEXT_STOP]),
    ]
  }

  private func handler(_ name: String, _ kinds: [Int]) -> Handler {
    Handler(
      name: name, pluginID: 7, pluginName: "test", kinds: kinds.map { EventKind($0) },
      function: { context, event, verdict in
        guard let context, let event, let verdict else { return KEMON_E_INVALID }
        return Unmanaged<Rules>.fromOpaque(context).takeUnretainedValue()
          .answer(RecordView(trusted: event), verdict)
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }

  private func answer(
    _ record: RecordView, _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> kemon_status {
    let name = record.view(of: kemon_kext.self)?.name.string ?? ""
    let answers = record.kind.info?.name == "kext.stop" ? stop : start
    if record.phase == .pre, let error = answers.denied[name] {
      return kemon_deny(verdict, error, "denied by the test")
    }
    if record.phase == .post, let result = answers.replaced[name] {
      return kemon_replace_result(verdict, result, "replaced by the test")
    }
    return KEMON_OK
  }
}

/// Runs a session in a model of its own and returns what happened.
func play(
  _ session: Session, _ rules: Rules = Rules()
) throws -> (result: SessionResult, seen: [Seen]) {
  let ring = EventRing()
  let dispatcher = Dispatcher(ring: ring)
  let subscription = try ring.subscribe(named: "test", overflow: .drop)
  let tokens = dispatcher.add(rules.handlers)
  let model = try KernelModel(release: session.release, dispatcher: dispatcher)
  let result = try model.run(session)
  try model.close()
  dispatcher.remove(tokens)
  return (result, drain(subscription))
}

func drain(_ subscription: Subscription) -> [Seen] {
  var seen: [Seen] = []
  while subscription.drain({ record in
    seen.append(Seen(record))
    return true
  }) > 0 {}
  return seen
}

/// A session made of kext objects, as JSON.
func session(_ kexts: String, release: String = "10.13.6", load: String? = nil) throws -> Session {
  let order = load.map { ", \"load\": \($0)" } ?? ""
  let json = """
    {"name": "test", "release": "\(release)",
     "process": {"pid": 59, "ppid": 1, "uid": 0, "comm": "kextd", "parent": "launchd"},
     "kexts": [\(kexts)]\(order)}
    """
  return try Session(json: Array(json.utf8), file: "test.json")
}

/// A kext object, as JSON.
func kext(
  _ id: String, version: String = "1.0", status: Int32 = 0, executable: Bool = true,
  needs: [String: String] = [:]
) -> String {
  let libraries = needs.map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ")
  return """
    {"id": "\(id)", "version": "\(version)", "path": "/Library/Extensions/\(id).kext",
     "base": "0xffffff7f80000000", "size": 4096, "status": \(status),
     "executable": \(executable), "libraries": {\(libraries)}}
    """
}
