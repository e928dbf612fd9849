// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonRecording

@Suite(.enabled(if: SharedRecordings.isThere, "needs ../shared/recordings"))
struct SharedImportTests {
  static let sources: [(format: String, folder: String, ending: String)] = [
    ("sysdig-json", "linux_scap_json", ".jsonl.gz"),
    ("tracee", "tracee", ".jsonl.gz"),
    ("pcap", "dns", ".pcap"),
    ("pcap", "pcap", ".pcap"),
    ("santa", "macos", ".log"),
  ]

  @Test(
    arguments: sources.flatMap { source in
      SharedRecordings.files(in: source.folder, source.ending).map { (source.format, $0) }
    })
  func `every record of a real trace is used or skipped for a reason`(
    format: String, file: String
  ) throws {
    let imported = try importing(format, ImportInput(path: SharedRecordings.path(file)))
    #expect(imported.isBalanced)
    #expect(imported.report.inputs > 0)
    print(file, imported.report)
  }
}
