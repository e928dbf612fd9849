// swift-tools-version: 6.1
import PackageDescription

/// Measures the bus beside the field's queues.
///
/// A package of its own: whoever builds Kemon needs none of this.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .unsafeFlags(["-warnings-as-errors"]),
]

/// Peers are built as their users would: optimised for the machine's baseline with what DPDK's headers ask for.
let peerFlags: [CXXSetting] = [
  .unsafeFlags([
    "-std=c++17", "-O3", "-march=x86-64-v2", "-Wall", "-Wextra", "-Wno-unused-parameter",
    "-isystem/usr/include/dpdk", "-isystem/usr/include/x86_64-linux-gnu/dpdk",
    "-include", "rte_config.h",
  ])
]

let package = Package(
  name: "kemon-benchmarks-bus",
  dependencies: [.package(name: "kemon", path: "../..")],
  targets: [
    .target(name: "CBench", cSettings: [.unsafeFlags(["-std=c17", "-O3", "-Wall", "-Wextra"])]),
    .target(
      name: "BusPeers", dependencies: ["CBench"], cxxSettings: peerFlags,
      linkerSettings: [.linkedLibrary("rte_ring"), .linkedLibrary("rte_eal")]),
    .executableTarget(
      name: "bench-bus",
      dependencies: ["CBench", "BusPeers", .product(name: "KemonBus", package: "kemon")],
      swiftSettings: rules),
  ]
)
