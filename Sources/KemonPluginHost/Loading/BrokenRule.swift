// SPDX-License-Identifier: Apache-2.0

/// A rule that something breaks, before it is known which file and plugin it is about.
struct BrokenRule: Error, Equatable {
  let rule: PluginProblem.Rule
  let found: String
  let needed: String
}
