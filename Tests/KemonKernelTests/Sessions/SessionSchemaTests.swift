// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import KemonTestSupport
import KemonText
import Testing

@Suite struct SessionSchemaTests {
  @Test(arguments: [
    ("docs/session.schema.json", Session.schema.indentedText + "\n"),
    ("docs/session-steps.md", Session.reference),
  ])
  func `what is published is what the reader checks`(_ name: String, _ text: String) throws {
    let file = Checkout.root.appending(path: name)
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try Data(text.utf8).write(to: file)
    }
    let published = try String(contentsOf: file, encoding: .utf8)
    #expect(published == text, "KEMON_UPDATE_GOLDEN=1 writes \(name) anew")
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
