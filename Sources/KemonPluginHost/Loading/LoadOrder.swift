// SPDX-License-Identifier: Apache-2.0

/// In which order plugins are loaded: what they need or follow first, ties by name.
///
/// The order depends on the manifests alone, never on folders or times, so that two runs do the same.
struct LoadOrder {
  /// Names in the order of loading.
  private(set) var order: [String] = []
  /// Plugins that cannot be loaded, and why: rule, what was found, what is needed.
  private(set) var broken: [String: BrokenRule] = [:]

  private let loaded: Set<String>

  /// Arranges plugins with unique names.
  ///
  /// - Parameter loaded: plugins that are there already.
  init(_ manifests: [PluginManifest], loaded: Set<String> = []) {
    self.loaded = loaded
    var waiting = Dictionary(uniqueKeysWithValues: manifests.map { ($0.name, $0) })
    refuseMissing(&waiting)
    while !waiting.isEmpty {
      let ready = waiting.values.filter { manifest in
        (manifest.needs + manifest.after).allSatisfy { waiting[$0] == nil }
      }
      if let next = ready.map(\.name).min() {
        order.append(next)
        waiting[next] = nil
      } else {
        refuseCycle(&waiting)
        refuseMissing(&waiting)
      }
    }
  }

  /// Takes out what needs a plugin that is not there, and what needs those in turn.
  private mutating func refuseMissing(_ waiting: inout [String: PluginManifest]) {
    while let (name, need) = firstMissing(waiting) {
      let why = broken[need] == nil ? "is not there" : "cannot be loaded"
      broken[name] = BrokenRule(
        rule: .pluginNeeds, found: "\"\(need)\" \(why)", needed: "plugin \"\(need)\"")
      waiting[name] = nil
    }
  }

  private func firstMissing(_ waiting: [String: PluginManifest]) -> (name: String, need: String)? {
    for (name, manifest) in waiting.sorted(by: { $0.key < $1.key }) {
      for need in manifest.needs where waiting[need] == nil && !isLoaded(need) {
        return (name, need)
      }
    }
    return nil
  }

  private func isLoaded(_ name: String) -> Bool { loaded.contains(name) || order.contains(name) }

  /// Takes out the members of one cycle.
  ///
  /// Everything that waits has somebody to wait for, so walking from one to the next comes back to where it was.
  private mutating func refuseCycle(_ waiting: inout [String: PluginManifest]) {
    guard var name = waiting.keys.min() else { return }
    var path: [String] = []
    while !path.contains(name) {
      path.append(name)
      guard let manifest = waiting[name],
        let next = (manifest.needs + manifest.after).filter({ waiting[$0] != nil }).min()
      else { return }
      name = next
    }
    let cycle = path[(path.firstIndex(of: name) ?? 0)...]
    let text = (cycle + [name]).joined(separator: " → ")
    for member in cycle {
      broken[member] = BrokenRule(
        rule: .pluginCycle, found: text, needed: "an order in which they can be loaded")
      waiting[member] = nil
    }
  }
}
