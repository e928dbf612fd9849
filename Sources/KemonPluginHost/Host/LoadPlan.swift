// SPDX-License-Identifier: Apache-2.0

import KemonText

/// What is to be loaded, in which order and with which configuration, before any code of a plugin has run.
struct LoadPlan {
  /// One plugin to be loaded.
  struct Step {
    let candidate: PluginScanner.Candidate
    let configuration: CheckedConfiguration
    /// It gets a process of its own.
    let isIsolated: Bool
  }

  private(set) var steps: [Step] = []
  private(set) var problems: [PluginProblem]

  /// Makes the plan.
  ///
  /// - Parameter scan: what the folders hold.
  /// - Parameter present: plugins that are loaded already.
  /// - Parameter places: where configurations were written.
  init(
    _ scan: PluginScanner.Scan, configurations: JSONValue, defaults: JSONValue,
    disable: Set<String>, only: Set<String>, isolate: IsolationPolicy = .none, present: [String],
    places: ConfigurationPlaces? = nil
  ) {
    problems = scan.problems
    let names = Set(scan.candidates.map(\.manifest.name))
    // A plugin that is there and wrong has a problem of its own already.
    let known = names.union(present).union(scan.problems.compactMap(\.plugin))
    checkNames(disable.union(only).union(isolate.names), among: known, rule: .selectionUnknown)

    var candidates: [String: PluginScanner.Candidate] = [:]
    for candidate in scan.candidates {
      let name = candidate.manifest.name
      guard !disable.contains(name), only.isEmpty || only.contains(name) else { continue }
      if present.contains(name) {
        refuse(candidate, .pluginDuplicate, "\"\(name)\" is loaded already", "a name of its own")
      } else if hasExtensions(candidate), canRun(candidate, isolate) {
        candidates[name] = candidate
      }
    }

    let members = objectOfConfigurations(configurations)
    checkNames(Set(members.keys), among: known, rule: .configUnknown)
    let order = LoadOrder(candidates.values.map(\.manifest), loaded: Set(present))
    for (name, broken) in order.broken.sorted(by: { $0.key < $1.key }) {
      guard let candidate = candidates[name] else { continue }
      refuse(candidate, broken.rule, broken.found, broken.needed)
    }
    for name in order.order {
      guard let candidate = candidates[name] else { continue }
      let configuration = members[name] ?? defaults.members?[name] ?? .object([:])
      do throws(ConfigurationFailure) {
        let checked = try CheckedConfiguration(configuration, candidate.manifest, places)
        steps.append(
          Step(
            candidate: candidate, configuration: checked,
            isIsolated: Self.isIsolated(candidate.manifest, isolate)))
      } catch {
        for broken in error.broken {
          refuse(candidate, broken.rule, broken.found, broken.needed)
        }
      }
    }
  }

  private mutating func refuse(
    _ candidate: PluginScanner.Candidate, _ rule: PluginProblem.Rule, _ found: String,
    _ needed: String
  ) {
    problems.append(
      PluginProblem(
        rule, file: candidate.file, plugin: candidate.manifest.name, found: found, needed: needed))
  }

  private mutating func hasExtensions(_ candidate: PluginScanner.Candidate) -> Bool {
    let missing = candidate.manifest.extensions.filter { !HostExtensions.ids.contains($0) }
    guard !missing.isEmpty else { return true }
    refuse(
      candidate, .pluginExtension, "no " + missing.joined(separator: ", ") + " in this host",
      "one of " + HostExtensions.ids.joined(separator: ", "))
    return false
  }

  private static func isIsolated(_ manifest: PluginManifest, _ policy: IsolationPolicy) -> Bool {
    manifest.isolation == .worker || policy.includes(manifest.name)
  }

  /// Whether the plugin can run where it shall.
  private mutating func canRun(
    _ candidate: PluginScanner.Candidate, _ policy: IsolationPolicy
  ) -> Bool {
    let manifest = candidate.manifest
    guard Self.isIsolated(manifest, policy) else { return true }
    if manifest.isolation == .inproc {
      refuse(
        candidate, .pluginIsolation, "isolation \"inproc\" in its manifest",
        "to be left out of --isolate")
      return false
    }
    let missing = manifest.extensions.filter { !HostExtensions.workerIDs.contains($0) }
    guard !missing.isEmpty else { return true }
    refuse(
      candidate, .pluginIsolation, "it needs " + missing.joined(separator: ", "),
      "none but " + HostExtensions.workerIDs.joined(separator: ", "))
    return false
  }

  private mutating func objectOfConfigurations(_ value: JSONValue) -> [String: JSONValue] {
    if let members = value.members { return members }
    problems.append(
      PluginProblem(
        .configType, file: "", found: value.typeName, needed: "an object of plugins' names"))
    return [:]
  }

  /// Reports names that no plugin has: most likely they are misspelled.
  private mutating func checkNames(
    _ asked: Set<String>, among known: Set<String>, rule: PluginProblem.Rule
  ) {
    for name in asked.subtracting(known).sorted() {
      let near = NearNames.of(name, among: known)
      problems.append(
        PluginProblem(
          rule, file: "", plugin: name, found: "\"\(name)\"",
          needed: near.isEmpty
            ? "the name of a plugin in the folders" : "perhaps " + near.joined(separator: ", ")))
    }
  }
}
