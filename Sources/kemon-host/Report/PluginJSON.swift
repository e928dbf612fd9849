// SPDX-License-Identifier: Apache-2.0

import KemonPluginHost
import KemonText

extension PluginInspection {
  /// What `plugins list` and `plugins info` print.
  var json: JSONValue {
    let texts = { (items: [String]) in JSONValue.array(items.map { .string($0) }) }
    var members: [String: JSONValue] = [
      "file": .string(file), "size": size.map { .integer(Int64($0)) } ?? .null,
      "sha256": sha256.map { .string($0) } ?? .null, "libraries": texts(neededLibraries),
      "runpath": texts(runPaths), "problems": .array(problems.map(\.json)),
    ]
    if let manifest {
      members["name"] = .string(manifest.name)
      members["version"] = .string(manifest.version)
      members["abi"] = .integer(manifest.abi)
      members["description"] = .string(manifest.description)
      members["license"] = .string(manifest.license)
      members["needs"] = texts(manifest.needs)
      members["after"] = texts(manifest.after)
      members["extensions"] = texts(manifest.extensions)
      members["capabilities"] = texts(manifest.capabilities)
      members["isolation"] = .string(manifest.isolation.rawValue)
      members["state"] = .integer(manifest.stateVersion)
      members["emits"] = texts(manifest.emits)
      members["config"] = manifest.configuration?.value ?? .null
    }
    return .object(members)
  }
}

extension PluginProblem {
  /// A problem as an object.
  var json: JSONValue {
    .object([
      "file": .string(file), "plugin": plugin.map { .string($0) } ?? .null,
      "rule": .string(rule.id), "found": .string(found), "needed": .string(needed),
      "message": .string(message),
    ])
  }
}
