// SPDX-License-Identifier: Apache-2.0

/// Which plugins run in a process of their own.
public enum IsolationPolicy: Sendable, Equatable {
  /// Those that cannot run otherwise.
  case none
  /// All.
  case all
  /// Those of these names, and those that cannot run otherwise.
  case named(Set<String>)

  /// Whether the operator wants a plugin isolated.
  func includes(_ name: String) -> Bool {
    switch self {
    case .none: false
    case .all: true
    case .named(let names): names.contains(name)
    }
  }

  /// The names that are asked for one by one.
  var names: Set<String> {
    if case .named(let names) = self { names } else { [] }
  }
}

/// Where a plugin can run, as its manifest says.
public enum PluginIsolation: String, Sendable, CaseIterable {
  /// Here and in a process of its own.
  case any
  /// In a process of its own only.
  case worker
  /// Here only.
  case inproc
}
