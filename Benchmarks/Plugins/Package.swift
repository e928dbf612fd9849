// swift-tools-version: 6.1
import PackageDescription

/// Measures what a call of a plugin's handler costs, where it runs and how it is called.
///
/// A package of its own: whoever builds Kemon needs none of this.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-warnings-as-errors"]),
]

let package = Package(
  name: "kemon-benchmarks-plugins",
  dependencies: [.package(name: "kemon", path: "../..")],
  targets: [
    .target(
      name: "CCalls", cSettings: [.unsafeFlags(["-std=c17", "-O2", "-Wall", "-Wextra"])],
      linkerSettings: [.linkedLibrary("ffi")]),
    .executableTarget(
      name: "bench-plugins",
      dependencies: [
        "CCalls", .product(name: "KemonBus", package: "kemon"),
        .product(name: "KemonPluginHost", package: "kemon"),
      ], swiftSettings: rules),
  ]
)
