// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

/// Every exported function of the libraries that everything uses.
@Suite struct ExportTests {
  @Test func `every function of the C library is hooked and unhooked in a child`() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      try ExportTests.walk("libc.so.6", atLeast: 2000)
    }
    Self.requireNoProblem(result)
  }

  @Test func `every function of the mathematical library does the same with a hook`() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      try ExportTests.walk("libm.so.6", atLeast: 500)
    }
    Self.requireNoProblem(result)
  }

  /// Checks what the other process has written; its status would say that there are problems, and not which.
  private static func requireNoProblem(_ result: ExitTest.Result?) {
    let problems = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }
    #expect(problems == "")
  }

  private static func walk(_ library: String, atLeast count: Int) throws {
    let walk = try ExportWalk(library)
    walk.run()
    var problems = walk.problems
    if walk.functionCount < count { problems.append("only \(walk.functionCount) functions") }
    // The vDSO's.
    if walk.refusedCount > 2 { problems.append("\(walk.refusedCount) are refused") }
    if walk.comparedCount < 20 { problems.append("only \(walk.comparedCount) were called") }
    var text = problems.map { "\(library): \($0)\n" }.joined()
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
