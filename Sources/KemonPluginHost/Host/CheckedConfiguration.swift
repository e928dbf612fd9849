// SPDX-License-Identifier: Apache-2.0

import KemonText

/// A plugin's configuration that keeps the schema of its manifest.
struct CheckedConfiguration {
  /// As the operator gave it.
  let given: JSONValue
  /// With the schema's defaults.
  let value: JSONValue
  /// Texts in it that must not be written anywhere.
  let secrets: [String]

  /// A configuration that nothing is known about.
  init(_ value: JSONValue) {
    given = value
    self.value = value
    secrets = []
  }

  /// Checks a configuration.
  ///
  /// - Parameter places: where it was written; nil when nobody knows.
  init(
    _ given: JSONValue, _ manifest: PluginManifest, _ places: ConfigurationPlaces?
  ) throws(ConfigurationFailure) {
    guard given.members != nil else {
      throw ConfigurationFailure(broken: [
        BrokenRule(rule: .configType, found: given.typeName, needed: "an object")
      ])
    }
    self.given = given
    guard let schema = manifest.configuration else {
      value = given
      secrets = []
      return
    }
    let problems = schema.problems(of: given)
    guard problems.isEmpty else {
      throw ConfigurationFailure(
        broken: problems.map { problem in
          let place = places?.place(of: problem.path, in: manifest.name, of: given)
          let path = problem.path.isEmpty ? "" : "\(problem.path): "
          return BrokenRule(
            rule: .configSchema, found: (place.map { "\($0): " } ?? "") + path + problem.found,
            needed: problem.needed)
        })
    }
    do throws(SchemaFailure) {
      value = try schema.fillingDefaults(in: given)
    } catch {
      throw ConfigurationFailure(
        broken: error.problems.map {
          BrokenRule(rule: .configSchema, found: $0.found, needed: $0.needed)
        })
    }
    secrets = schema.secrets(in: value)
  }
}

/// Everything that is wrong with a configuration.
struct ConfigurationFailure: Error {
  let broken: [BrokenRule]

  /// All of it as one problem.
  func problem(file: String, plugin: String) -> PluginProblem {
    PluginProblem(
      together: broken.map { PluginProblem($0, file: file, plugin: plugin) }, .configType,
      file: file, plugin: plugin)
  }
}
