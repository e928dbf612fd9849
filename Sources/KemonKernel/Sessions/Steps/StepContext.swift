// SPDX-License-Identifier: Apache-2.0

/// Where a step happens.
struct StepContext {
  let model: KernelModel
  let session: Session
  /// The process that acts.
  let actor: ModelProcess
  /// What earlier steps of this run left under a name.
  let objects: SessionObjects

  /// Who acts, for records.
  var process: Session.Process { actor.identity }
}

/// What the steps of one run keep for later ones: open files, sockets, policies.
///
/// Belongs to the thread of the run.
final class SessionObjects {
  private var objects: [String: AnyObject] = [:]

  /// Keeps an object under a name; one that was there before is let go.
  func keep(_ object: AnyObject, as name: String) { objects[name] = object }

  /// The object of that name, if it is there and of that type.
  func find<Kept: AnyObject>(_ name: String, as type: Kept.Type = Kept.self) -> Kept? {
    objects[name] as? Kept
  }

  /// Keeps a process under the name that the session gives it.
  func keep(_ process: ModelProcess, as named: Session.Process) {
    keep(process, as: Self.key(named.name))
  }

  /// The process that the session calls so; nil while no step has made it.
  func process(_ named: Session.Process) -> ModelProcess? { find(Self.key(named.name)) }

  /// The same by name.
  func process(named name: String) -> ModelProcess? { find(Self.key(name)) }

  /// Keeps a process that a step has made.
  func keep(_ process: ModelProcess, named name: String) { keep(process, as: Self.key(name)) }

  private static func key(_ process: String) -> String { "process \(process)" }

  /// Lets an object go.
  func forget(_ name: String) { objects[name] = nil }
}
