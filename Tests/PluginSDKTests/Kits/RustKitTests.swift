// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// The kit for Rust: its own tests compare every size and offset with the C headers.
@Suite(.enabled(if: Command.exists("cargo"), "needs cargo and rustc"))
struct RustKitTests {
  @Test func `its tests pass`() throws {
    let scratch = try ScratchFolder()
    // A copy, so that cargo writes nothing into the checkout; with the C files that its tests read.
    for name in ["rust", "src", "include"] {
      try FileManager.default.copyItem(
        atPath: Checkout.sdk.appending(path: name).path, toPath: scratch.file(name))
    }
    let result = try #require(Command("cargo")).run(
      ["test", "--offline", "--tests", "--manifest-path", scratch.file("rust/Cargo.toml")],
      environment: ["CARGO_TARGET_DIR": scratch.file("target"), "RUSTFLAGS": "-D warnings"])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.contains("test every_size_and_offset_is_that_of_c ... ok"))
  }
}
