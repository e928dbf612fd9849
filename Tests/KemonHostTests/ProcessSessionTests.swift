// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Sessions about processes and images, played by the program.
@Suite struct ProcessSessionTests {
  private func play(
    _ session: String, dialect: String = "2018", deny paths: [String] = []
  ) throws -> Command.Result {
    let host = try Host(plugins: ["event-log", "path-guard"])
    let rules = paths.map { "{\"path\": \"\($0)\"}" }.joined(separator: ", ")
    let config = try host.scratch.write(
      "{\"plugins\": {\"path-guard\": {\"deny\": [\(rules)]}}}", to: "config.json")
    return try host.run(
      "run", "--session", session, "--plugins", host.plugins, "--dialect", dialect, "--config",
      config, "--verbose")
  }

  @Test func `Anti-debug: while Kemon listens nobody traces`() throws {
    let result = try play("anti-debug")
    let lines = result.output.split(separator: "\n")
    let refused = [
      "uid=501, debugger(pid 700)=lldb, parent(ppid 303)=Terminal, debuggee(pid 641)=Dock.",
      "uid=0, debugger(pid 88)=kemon-admin, parent(ppid 1)=launchd, debuggee(pid 641)=Dock.",
    ].map { "[Kemon.kext] : action=KAUTH_PROCESS_CANTRACE, \($0)" }
    let told = lines.map { String($0) }.filter { $0.contains("KAUTH_PROCESS_CANTRACE") }
    #expect(told == refused)
    #expect(lines.filter { $0.contains("action=PROCESS_TRACE,") }.count == 4)
    #expect(lines.filter { $0.hasSuffix("result=EPERM.") }.count == 2)
    #expect(result.errors.components(separatedBy: "EPERM").count == 3, "\(result.errors)")
  }

  @Test func `limitation 4: a listener has no command line, the hook has`() throws {
    let open = try play("kauth-limitation-4")
    let lines = open.output.split(separator: "\n")
    let heard = lines.map { String($0) }.filter { $0.contains("hears KAUTH_FILEOP_EXEC") }
    let images = ["/bin/sh", "/usr/bin/curl"]
    #expect(heard == images.map { "listener hears KAUTH_FILEOP_EXEC \($0)." })
    let before = try #require(lines.first { $0.contains("action=PROCESS_EXEC_PRE") })
    #expect(
      before.contains(
        "path=/Users/kim/backup.sh, command line=/bin/sh -e /Users/kim/backup.sh --all, "))
    #expect(open.output.contains("command line=curl -o /tmp/my file http://example.com.\n"))
    let denied = try play("kauth-limitation-4", deny: ["/usr/bin/curl"])
    #expect(!denied.output.contains("hears KAUTH_FILEOP_EXEC /usr/bin/curl"))
    #expect(denied.errors.contains("EACCES"))
  }

  @Test func `the line of KSBox' slide about processes is there`() throws {
    let result = try play("ksbox", dialect: "2019")
    #expect(
      result.output.contains(
        "[Kemon.kext] : action=KAUTH_FILEOP_EXEC, uid=0, process(pid 1)=launchd, "
          + "parent(ppid 0)=kernel_task, path=/usr/libexec/xpcproxy, "
          + "command line=xpcproxy com.apple.ReportCrash.\n"))
  }
}
