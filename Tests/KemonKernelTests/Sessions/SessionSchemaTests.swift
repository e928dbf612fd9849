// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import KemonTestSupport
import KemonText
import Testing

@Suite struct SessionSchemaTests {
  @Test func `the published schema is that of the reader`() throws {
    let text = Session.schema.indentedText + "\n"
    let file = Checkout.root.appending(path: "docs/session.schema.json")
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try Data(text.utf8).write(to: file)
    }
    let published = try String(contentsOf: file, encoding: .utf8)
    #expect(published == text, "KEMON_UPDATE_GOLDEN=1 writes docs/session.schema.json anew")
  }

  @Test func `the schema is JSON that describes every member`() throws {
    let schema = try JSONValue(parsing: Session.schema.indentedText)
    #expect(schema == Session.schema)
    let properties = try #require(schema.value(at: "properties")?.members)
    for name in ["name", "release", "process", "processes", "kexts", "load", "steps"] {
      #expect(properties[name]?.value(at: "description")?.string?.isEmpty == false)
    }
    #expect(schema.value(at: "additionalProperties") == .bool(false))
  }
}
