// SPDX-License-Identifier: Apache-2.0

/// All checks, in the order in which they run: what is needed comes first.
public enum CheckTable {
  /// The rows.
  public static let all: [Check] =
    StaticChecks.all + LoadChecks.all + LifecycleChecks.alone + ContractChecks.all
    + HostUseChecks.all + SemanticsChecks.all + LifecycleChecks.withEvents + StateChecks.all
    + ConfigChecks.all + RobustnessChecks.all + PerformanceChecks.all + ProgramChecks.all

  /// The check of an id.
  static func check(_ id: String) -> Check? { all.first { $0.id == id } }

  /// The ids of checks that must have passed before one of these can run, they themselves included.
  static func closure(of ids: Set<String>) -> Set<String> {
    var wanted = ids
    for check in all.reversed() where wanted.contains(check.id) { wanted.formUnion(check.needs) }
    return wanted
  }
}
