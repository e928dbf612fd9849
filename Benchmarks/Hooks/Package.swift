// swift-tools-version: 6.1
import PackageDescription

/// Measures the hooks beside other ways to stand in front of a function.
///
/// A package of its own: whoever builds Kemon
/// needs none of this.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-warnings-as-errors"]),
]

/// Optimised in every configuration: what is measured must not depend on how the package is built.
let optimised: [CSetting] = [.unsafeFlags(["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"])]

let package = Package(
  name: "kemon-benchmarks-hooks",
  dependencies: [.package(name: "kemon", path: "../..")],
  targets: [
    .target(
      name: "CHookTargets", cSettings: optimised, linkerSettings: [.linkedLibrary("ffi")]),
    .executableTarget(name: "hook-loop", dependencies: ["CHookTargets"], cSettings: optimised),
    .executableTarget(
      name: "bench-hooks",
      dependencies: ["CHookTargets", .product(name: "KemonHooks", package: "kemon")],
      swiftSettings: rules),
  ]
)
