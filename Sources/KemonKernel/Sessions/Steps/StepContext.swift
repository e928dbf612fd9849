// SPDX-License-Identifier: Apache-2.0

/// Where a step happens.
struct StepContext {
  let model: KernelModel
  let session: Session
  /// The process that acts.
  let process: Session.Process
  /// What earlier steps of this run left under a name.
  let objects: SessionObjects
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

  /// Lets an object go.
  func forget(_ name: String) { objects[name] = nil }
}
