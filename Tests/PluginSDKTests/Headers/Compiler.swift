// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// A compiler with a language standard that the headers promise to support.
struct Compiler: CustomTestStringConvertible, Sendable {
  let program: String
  let standard: String

  var testDescription: String { "\(program) -std=\(standard)" }
  var isCXX: Bool { standard.hasPrefix("c++") }

  static let all =
    ["gcc", "clang"].flatMap { program in
      ["c11", "c17"].map { Compiler(program: program, standard: $0) }
    }
    + ["g++", "clang++"].flatMap { program in
      ["c++17", "c++20"].map { Compiler(program: program, standard: $0) }
    }

  static let present = all.filter { Command.exists($0.program) }
  static let missing = Set(all.map(\.program)).filter { !Command.exists($0) }.sorted()

  /// What the SDK promises to be clean under; `-Wpadded` finds silent padding.
  static let warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wpadded", "-Werror"]

  func run(_ arguments: [String]) throws -> Command.Result {
    let tool = try #require(Command(program))
    return try tool.run(
      ["-std=\(standard)", "-I", Checkout.sdk.appending(path: "include").path] + arguments)
  }
}
