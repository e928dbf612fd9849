// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct ImportTests {
  private static let line =
    #"{"timestamp":1,"processId":7,"processName":"dig","userId":0,"eventName":"net_packet_dns","args":[{"name":"src","type":"string","value":"10.0.0.1"},{"name":"dst","type":"string","value":"1.1.1.1"},{"name":"src_port","type":"uint16","value":5},{"name":"dst_port","type":"uint16","value":53},{"name":"proto_dns","type":"trace.ProtoDNS","value":{"QR":0,"questions":[{"name":"a.example","type":"A","class":"IN"}]}}]}"#

  @Test func `a line that is cut in the middle is named and the others are kept`() throws {
    let host = try Host(plugins: [])
    let text = Self.line + "\n" + Self.line.prefix(100) + "\n" + Self.line + "\n"
    let file = host.scratch.file("cut.kemon")
    let result = try host.run("trace", "import", "--from", "tracee", "-", "-o", file, input: text)
    #expect(result.status == 2)
    #expect(result.errors.contains("line 2"), "\(result.errors)")
    let info = try members(of: host.run("trace", "info", file, "--output", "json").output)
    #expect(info["events"] as? Int == 2)
  }

  @Test func `an import that cannot be finished leaves nothing behind`() throws {
    let host = try Host(plugins: [])
    let file = host.scratch.file("nowhere/x.kemon")
    let trace = try host.scratch.write(Self.line, to: "trace")
    #expect(try host.run("trace", "import", "--from", "tracee", trace, "-o", file).status == 1)
    let missing = host.scratch.file("y.kemon")
    let result = try host.run(
      "trace", "import", "--from", "tracee", host.scratch.file("no"), "-o", missing)
    #expect(result.status == 66)
    let folder = try host.run(
      "trace", "import", "--from", "tracee", host.scratch.path, "-o", missing)
    #expect(folder.status == 66)
    #expect(try host.run("trace", "import", "--from", "tracee", trace, "-o", "-").status == 64)
    let left = try FileManager.default.contentsOfDirectory(atPath: host.scratch.url.path)
    #expect(!left.contains { $0.hasPrefix("y.kemon") }, "\(left)")
  }

  @Test(arguments: ["INT", "TERM"])
  func `an import that is interrupted leaves nothing behind`(signal: String) throws {
    let scratch = try ScratchFolder()
    let program = Command(built: "kemon-host").path
    let result = try #require(Command("bash")).run([
      "-c",
      """
      cd '\(scratch.path)' && mkfifo trace && exec 3<>trace
      '\(program)' trace import --from tracee trace -o x.kemon 3<&- & import=$!
      until [ -e x.kemon.partial-wal ]; do sleep 0.05; done
      sleep 0.3; kill -\(signal) $import; wait $import; echo "status $?"; ls
      """,
    ])
    let status = signal == "INT" ? 130 : 143
    #expect(result.output == "status \(status)\ntrace\n", "\(result.text)")
  }

  @Test(.enabled(if: SharedRecordings.isThere, "needs ../shared/recordings"))
  func `the digest over a real capture is the same in every round and run`() throws {
    let host = try Host()
    let file = host.scratch.file("httpd.kemon")
    let trace = SharedRecordings.path("linux_scap_json/sfc_mpm-worker_full_capture.jsonl.gz")
    #expect(try host.run("trace", "import", "--from", "sysdig-json", trace, "-o", file).status == 0)
    let digests = try (0..<2)
      .map { _ in
        let result = try host.run(
          "bench", file, "--plugins", host.plugins, "--rounds", "2", "--output", "json", "--set",
          #"path-guard.deny=[{"path": "/etc", "operations": ["open"]}]"#)
        #expect(result.status == 0, "\(result.errors)")
        return try members(of: result.output)["digest"] as? String
      }
    #expect(digests[0] != nil && digests[0] == digests[1])
  }
}
