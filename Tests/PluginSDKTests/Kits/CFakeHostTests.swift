// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// `plugin-sdk/testing`, used as an author would: a plugin, the host, and a main function in one program.
@Suite(.enabled(if: Command.exists("cc"), "needs cc")) struct CFakeHostTests {
  private func run(
    _ compiler: Command? = Command("cc"), _ flags: [String] = [], plugin: URL? = nil, main: String
  ) throws -> Command.Result {
    let folder = try ScratchFolder()
    let test = try folder.write(main, to: "test.c")
    let program = folder.file("test")
    let include = { (name: String) in ["-I", Checkout.sdk.appending(path: name).path] }
    let kit = Checkout.sdk.appending(path: "testing/kemon_testing.c")
    let build = try #require(compiler).run(
      flags + ["-std=c11", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread"]
        + include("include") + include("testing")
        + [plugin?.path, test, kit.path, "-o", program].compactMap { $0 })
    #expect(build.status == 0, "\(build.text)")
    return try Command(path: program).run([], environment: ["ASAN_OPTIONS": "detect_leaks=0"])
  }

  private static let main = """
    #include <errno.h>
    #include <kemon_testing.h>
    #include <stdio.h>

    #define EXPECT(condition) if (!(condition)) { printf("line %d: %s\\n", __LINE__, #condition); failed = 1; }

    int main(void) {
      int failed = 0;
      kemon_fake_host *host = kemon_fake_host_new("{ \\"secret\\" : \\"/etc/a \\\\\\"b\\\\\\"\\", \\"more\\": [1, {\\"x\\": true}] }");
      EXPECT(kemon_fake_host_run(host, kemon_plugin_v1) == KEMON_OK);
      const kemon_handler *open = kemon_fake_host_handler(host, "open");
      EXPECT(open != NULL && open->on_fault == KEMON_FAIL_DENY);
      EXPECT(kemon_fake_host_handler(host, "close") == NULL);
      EXPECT(kemon_fake_event_new("file.open", KEMON_PHASE_NOTIFY) == NULL);

      kemon_fake_event *event = kemon_fake_event_new("file.open", KEMON_PHASE_PRE);
      EXPECT(kemon_fake_event_text(event, "path", "/etc/a \\"b\\"") == KEMON_OK);
      EXPECT(kemon_fake_event_text(event, "flags", "1") == KEMON_E_NOTFOUND);
      EXPECT(kemon_fake_event_number(event, "flags", 2) == KEMON_OK);
      EXPECT(kemon_fake_event_number(event, "flag", 2) == KEMON_E_NOTFOUND);
      EXPECT(kemon_fake_event_text(event, "comm", "cat") == KEMON_OK);
      kemon_fake_event_subject(event)->uid = 501;
      kemon_verdict verdict = kemon_fake_host_ask(host, event);
      EXPECT(verdict.action == KEMON_DENY && verdict.err == EACCES);
      const kemon_event *record = kemon_fake_event_record(event);
      EXPECT(strcmp(kemon_str_ptr(record, record->subject.comm), "cat") == 0 && record->size % 8 == 0);
      kemon_fake_event_subject(event)->uid = 0;
      EXPECT(kemon_fake_host_ask(host, event).action == KEMON_ABSTAIN);
      record = kemon_fake_event_record(event);
      ((kemon_event *)(uintptr_t)record)->payload_size = 8;
      EXPECT(kemon_fake_host_ask(host, event).action == KEMON_DENY); /* a fault */
      kemon_fake_event_free(event);
      kemon_fake_host_free(host);

      host = kemon_fake_host_new("{\\"secret\\": [1]}");
      EXPECT(kemon_fake_host_run(host, kemon_plugin_v1) == KEMON_OK);
      EXPECT(kemon_fake_host_log(host)[0] == 0 && kemon_fake_host_output(host)[0] == 0);
      kemon_fake_host_free(host);
      return failed;
    }
    """

  private static let template = Checkout.sdk.appending(path: "templates/c/plugin.c")

  @Test func `a plugin in C is tested without kemon-host`() throws {
    let result = try run(plugin: Self.template, main: Self.main)
    #expect(result.status == 0, "\(result.text)")
  }

  @Test(.enabled(if: Command.clang != nil, "needs clang"), arguments: [[], sanitizers])
  func `clang takes the kit, too, and its sanitizers find nothing`(flags: [String]) throws {
    let result = try run(Command.clang, flags, plugin: Self.template, main: Self.main)
    #expect(result.status == 0, "\(result.text)")
    let full = try run(Command.clang, flags, main: Self.full)
    #expect(full.status == 0, "\(full.text)")
  }

  private static let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

  private static let full = """
    #include <kemon_testing.h>
    #include <stdio.h>
    #include <stdlib.h>

    static kemon_status typed(void *ctx, const char *path, kemon_verdict *verdict) {
      (void)ctx, (void)path, (void)verdict;
      return KEMON_OK;
    }
    static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
      static int self;
      uint64_t token = 0;
      kemon_handler handler = {.size = sizeof handler, .name = "open", .kind = "file.open"};
      (void)c;
      if (h->on(h, &handler, &token, e) != KEMON_E_INVALID)
        return NULL;
      handler.signature = "path:z";
      handler.typed = (kemon_any_fn)typed;
      if (h->on(h, &handler, &token, e) != KEMON_OK || h->on(h, &handler, &token, e) != KEMON_E_INVALID)
        return NULL;
      handler.name = "exec", handler.kind = "mac.vnode_check_exec";
      if (h->on(h, &handler, &token, e) != KEMON_OK || h->off(h, token) != KEMON_OK)
        return NULL;
      return h->off(h, token) == KEMON_E_NOTFOUND ? &self : NULL;
    }
    KEMON_EXPORT const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
      static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
      return kemon_speaks(hello) ? &plugin : NULL;
    }

    #define EXPECT(condition) if (!(condition)) { printf("line %d: %s\\n", __LINE__, #condition); failed = 1; }

    int main(void) {
      int failed = 0;
      kemon_fake_host *host = kemon_fake_host_new(NULL);
      EXPECT(kemon_fake_host_run(host, kemon_plugin_v1) == KEMON_OK);
      const kemon_handler *open = kemon_fake_host_handler(host, "open");
      EXPECT(open != NULL && open->fn == NULL && strcmp(open->signature, "path:z") == 0);
      EXPECT(kemon_fake_host_handler(host, "exec") == NULL);

      /* A record to the brim, and one text more. */
      kemon_fake_event *event = kemon_fake_event_new("file.open", KEMON_PHASE_PRE);
      uint32_t room = 64 * 1024;
      char *text = (char *)calloc(1, room);
      while (room > 0 && kemon_fake_event_bytes(event, "path", text, room) == KEMON_E_FULL)
        room--;
      EXPECT(room > 60 * 1024);
      EXPECT(kemon_fake_event_bytes(event, "comm", "", 0) == KEMON_E_FULL);
      EXPECT(kemon_fake_event_bytes(event, "comm", text, room) == KEMON_E_FULL);
      EXPECT(kemon_fake_event_bytes(event, "comm", text, 64) == KEMON_E_FULL);
      EXPECT(kemon_fake_event_record(event)->size <= 64 * 1024);
      EXPECT(kemon_fake_host_ask(host, event).action == KEMON_ABSTAIN && kemon_fake_host_show(host, event) == 0);
      kemon_fake_event_free(event);
      kemon_fake_host_free(host);
      free(text);
      return failed;
    }
    """

  @Test func `a full record takes no more, and a handler with a signature is kept`() throws {
    let result = try run(main: Self.full)
    #expect(result.status == 0, "\(result.text)")
  }

  private static let config = """
    #include <kemon_testing.h>
    #include <stdio.h>

    static const kemon_host *seen;
    static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
      const kemon_ext_config *config = (const kemon_ext_config *)h->ext(h, KEMON_EXT_CONFIG);
      const char *paths[] = {"", "a", "a.b", "a.b[0]", "a.b[1].c", "a.b[2]", "t", "n", "f", "a.x", "a[0]", "bb"};
      (void)c, (void)e;
      seen = h;
      for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int64_t number = -7;
        int32_t truth = -7;
        const char *text = config->string(h, paths[i]);
        int32_t is_number = config->integer(h, paths[i], &number);
        int32_t is_truth = config->boolean(h, paths[i], &truth);
        printf("%s|%d|%s|%d %d|%d %d\\n", paths[i], (int)config->count(h, paths[i]), text != NULL ? text : "-",
               is_number, (int)number, is_truth, truth);
      }
      return &seen;
    }
    KEMON_EXPORT const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
      static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
      return kemon_speaks(hello) ? &plugin : NULL;
    }
    int main(void) {
      kemon_fake_host *host = kemon_fake_host_new(
          "{\\"a\\": {\\"b\\": [\\"x\\\\ny\\", {\\"c\\": \\"]}\\"}, 1.5]}, \\"t\\": true, \\"n\\": -12, \\"f\\": null, \\"b\\": 1}");
      kemon_fake_host_run(host, kemon_plugin_v1);
      kemon_fake_host_free(host);
      return 0;
    }
    """

  @Test func `it reads a configuration by path as the host does`() throws {
    let result = try run(main: Self.config)
    #expect(
      result.output == """
        |5|-|-1 -7|-1 -7
        a|1|-|-1 -7|-1 -7
        a.b|3|-|-1 -7|-1 -7
        a.b[0]|-1|x
        y|-1 -7|-1 -7
        a.b[1].c|-1|]}|-1 -7|-1 -7
        a.b[2]|-1|-|-1 -7|-1 -7
        t|-1|-|-1 -7|0 1
        n|-1|-|0 -12|-1 -7
        f|-1|-|-1 -7|-1 -7
        a.x|-1|-|-4 -7|-4 -7
        a[0]|-1|-|-4 -7|-4 -7
        bb|-1|-|-4 -7|-4 -7

        """, "\(result.text)")
  }
}
