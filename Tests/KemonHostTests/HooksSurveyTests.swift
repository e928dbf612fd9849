// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct HooksSurveyTests {
  private func survey(_ arguments: String...) throws -> Command.Result {
    try Command(built: "kemon-host").run(["hooks", "survey"] + arguments)
  }

  @Test func `every export of a library is told with tier or reason`() throws {
    let result = try survey("libc.so.6", "--output", "json")
    #expect(result.status == 0, "\(result.errors)")
    let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let rows = try #require(value as? [[String: Any]])
    #expect(rows.count > 1000)
    for row in rows {
      #expect(Set(row.keys) == ["name", "address", "size", "tier", "reason"])
      let isRefused = row["tier"] as? String == "refused"
      #expect(isRefused == ((row["reason"] as? String)?.isEmpty == false), "\(row)")
    }
    let refused = rows.filter { $0["tier"] as? String == "refused" }
    // The vDSO's functions, and memmove, which mempcpy jumps into.
    #expect(refused.count * 1000 <= rows.count * 3, "\(refused)")
  }

  @Test func `the table has a line for each function, and a summary goes to the errors`() throws {
    let result = try survey("libc.so.6")
    #expect(result.status == 0)
    #expect(
      result.output.split(separator: "\n").contains {
        $0.contains(" write ") || $0.hasSuffix(" write")
      })
    #expect(result.errors.contains("functions: "))
  }

  @Test func `code of a library that is not loaded does not run`() throws {
    guard let compiler = Command("cc") else { return }
    let scratch = try ScratchFolder()
    let source = try scratch.write(
      """
      #include <stdlib.h>
      __attribute__((constructor)) static void begin(void) { _Exit(42); }
      int answer(int number) { return number * 3 + 1; }
      """, to: "eager.c")
    let library = scratch.file("eager.so")
    #expect(try compiler.run(["-shared", "-fPIC", "-O1", "-o", library, source]).status == 0)
    let result = try survey(library)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("answer"))
  }

  @Test func `what is no library is told with its exit code`() throws {
    let scratch = try ScratchFolder()
    let text = try scratch.write("no library", to: "text.so")
    #expect(try survey(text).status == 65)
    let missing = try survey(scratch.file("missing.so"))
    #expect(missing.status == 66)
    #expect(missing.errors.contains("missing.so"))
    #expect(missing.output == "")
  }
}
