// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "typed-swift",
  products: [.library(name: "typed-swift", type: .dynamic, targets: ["Typed"])],
  dependencies: [.package(name: "kemon", path: "../../..")],
  targets: [
    .target(
      name: "Typed",
      dependencies: ["Manifest", .product(name: "KemonPluginKit", package: "kemon")]),
    // The manifest is a section of the library, which only C can fill with a text.
    .target(
      name: "Manifest", dependencies: [.product(name: "KemonPluginKit", package: "kemon")]),
  ]
)
