// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "my-guard",
  products: [.library(name: "my-guard", type: .dynamic, targets: ["MyGuard"])],
  dependencies: [.package(name: "kemon", path: "../../..")],
  targets: [
    .target(
      name: "MyGuard",
      dependencies: ["Manifest", .product(name: "KemonPluginKit", package: "kemon")],
      linkerSettings: [
        // Only the entry and the manifest are for others to see.
        .unsafeFlags(["-Xlinker", "--version-script=../../cmake/exports.map"])
      ]),
    .target(
      name: "Manifest", dependencies: [.product(name: "KemonPluginKit", package: "kemon")]),
  ]
)
