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
    let always: Set = ["name", "address", "size", "tier", "reason"]
    for row in rows {
      #expect(Set(row.keys).subtracting(["aliases", "target"]) == always)
      if let aliases = row["aliases"] { #expect((aliases as? [String])?.isEmpty == false) }
      let isRefused = row["tier"] as? String == "refused"
      #expect(isRefused == ((row["reason"] as? String)?.isEmpty == false), "\(row)")
    }
    let refused = rows.filter { $0["tier"] as? String == "refused" }
    // The vDSO's functions.
    #expect(refused.count * 1000 <= rows.count * 2, "\(refused)")
  }

  @Test func `other names of an address and what a function leads to are told`() throws {
    guard let compiler = Command("cc") else { return }
    let scratch = try ScratchFolder()
    let source = try scratch.write(
      """
      int answer(int number) { return number * 3 + 1; }
      int reply(int) __attribute__((alias("answer")));
      extern int hidden_answer(int) __attribute__((alias("answer"), visibility("hidden")));
      __asm__(".text\\n.globl lead\\n.type lead, @function\\n"
              "lead: .byte 0xe9\\n.long hidden_answer - . - 4\\n.size lead, . - lead\\n");
      """, to: "names.c")
    let library = scratch.file("names.so")
    #expect(try compiler.run(["-shared", "-fPIC", "-O1", "-o", library, source]).status == 0)
    let result = try survey(library, "-o", "json")
    #expect(result.status == 0, "\(result.errors)")
    let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let rows = try #require(value as? [[String: Any]])
    func row(_ name: String) throws -> [String: Any] {
      try #require(rows.first { $0["name"] as? String == name }, "\(rows)")
    }
    #expect(try row("answer")["aliases"] as? [String] == ["reply"])
    #expect(try row("reply")["aliases"] as? [String] == ["answer"])
    let target = try #require(try row("lead")["target"] as? [String: Any])
    #expect(target["name"] as? String == "answer")
    #expect(target["address"] as? Int == (try row("answer")["address"] as? Int))
    #expect(try row("lead")["tier"] as? String == "window", "what was named is hooked")
    #expect(try row("lead")["aliases"] == nil)
    #expect(try row("answer")["target"] == nil)
    let table = try survey(library).output
    #expect(table.contains("jumps to answer"))
    #expect(table.contains("also reply"))
  }

  @Test func `files that are cut or for other machines are told with their place`() throws {
    let scratch = try ScratchFolder()
    let program = try Data(contentsOf: URL(filePath: Command(built: "kemon-host").path))
    func refuse(_ data: Data, _ text: String) throws {
      let file = scratch.file("bad.so")
      try data.write(to: URL(filePath: file))
      let result = try survey(file)
      #expect(result.status == 65)
      #expect(result.output == "")
      #expect(result.errors.contains("bad.so") && result.errors.contains(text), "\(result.errors)")
    }
    var bytes = program.prefix(200_000)
    try refuse(bytes, "behind the file's end")
    try refuse(bytes.prefix(40), "not an ELF file")
    bytes[18] = 183
    try refuse(bytes, "machine 183")
    bytes[4] = 1
    try refuse(bytes, "64-bit")
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
