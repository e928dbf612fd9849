// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct RecordingSchemaTests {
  @Test func `the tables of a version never change`() throws {
    let folder = try ScratchFolder()
    let path = folder.file("a.kemon")
    try RecordingWriter(creating: path).close()
    let tables = try DatabaseQueue(path: path).read {
      try String.fetchAll(
        $0, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
    }
    let text = tables.map { $0 + ";\n" }.joined()
    // Another text needs another version, and readers for both.
    let name = "schema-\(RecordingSchema.version).sql"
    #expect(try text == Fixtures.golden(name, actual: text))
  }
}
