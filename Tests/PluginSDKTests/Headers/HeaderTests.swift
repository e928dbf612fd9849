// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct HeaderTests {
  /// Uses everything that a header defines for plugins, so that macros are expanded too.
  private static let user = """
    #include <kemon/kemon.h>
    KEMON_MANIFEST("{}");
    const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
      size_t count;
      const kemon_kind_info *kinds = kemon_kind_infos(&count);
      const kemon_field_info *fields = kemon_field_infos(kinds->payload, &count);
      kemon_error error;
      error.size = sizeof error;
      (void)fields;
      (void)kemon_fail(&error, KEMON_E_INVALID, "no");
      (void)KEMON_HAS(hello, why);
      (void)kemon_speaks(hello);
      return NULL;
    }
    kemon_status handle(const kemon_event *event, kemon_verdict *verdict);
    kemon_status handle(const kemon_event *event, kemon_verdict *verdict) {
      const kemon_file *file = (const kemon_file *)kemon_payload(event, sizeof *file);
      const kemon_vote *vote = kemon_vote_at(event, 0);
      if (file == NULL || vote == NULL || !KEMON_EVENT_HAS(event, verdict))
        return kemon_allow(verdict);
      if (kemon_str_len(event, file->path) == 0)
        return kemon_replace_result(verdict, 5, kemon_str_ptr(event, file->path));
      return kemon_deny(verdict, 13, "why");
    }
    """

  @Test(arguments: Compiler.present)
  func `a user of the headers compiles without a warning`(compiler: Compiler) throws {
    let folder = try ScratchFolder()
    let source = try folder.write(Self.user, to: compiler.isCXX ? "user.cc" : "user.c")
    let result = try compiler.run(
      Compiler.warnings + ["-fvisibility=hidden", "-fsyntax-only", source])
    #expect(result.status == 0, "\(result.text)")
  }

  @Test(arguments: Compiler.present)
  func `each header compiles alone`(compiler: Compiler) throws {
    let folder = try ScratchFolder()
    let headers = try FileManager.default
      .contentsOfDirectory(atPath: Checkout.sdk.appending(path: "include/kemon").path)
    #expect(headers.count >= 8)
    for header in headers where header.hasSuffix(".h") || compiler.isCXX {
      let text = "#include <kemon/\(header)>\n#include <kemon/\(header)>\nextern int used;\n"
      let source = try folder.write(text, to: compiler.isCXX ? "one.cc" : "one.c")
      let result = try compiler.run(Compiler.warnings + ["-fsyntax-only", source])
      #expect(result.status == 0, "\(header): \(result.text)")
    }
  }

  @Test(arguments: Compiler.present.filter { !$0.isCXX })
  func `the pinned layout holds`(compiler: Compiler) throws {
    let layout = Checkout.sdk.appending(path: "src/layout.c").path
    let result = try compiler.run(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", layout])
    #expect(result.status == 0, "\(result.text)")
  }

  @Test(
    .enabled(
      if: Compiler.missing.isEmpty, "not tried here: \(Compiler.missing.joined(separator: ", "))"))
  func `every compiler is here`() {
    #expect(Compiler.present.count == Compiler.all.count)
  }
}
