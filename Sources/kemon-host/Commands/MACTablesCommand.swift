// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel
import KemonPluginHost
import KemonText

struct MACTablesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tables",
    abstract: "Say what a MAC policy that was built for one kernel meets on another.",
    discussion: """
      Kernels do not check what a policy was built for: they call what stands in a slot. Without a release all \
      are listed, with one the slots of its table, with two what becomes of a policy of the first on the second.
      """)

  @Argument(help: "The release that the policy was built for.", transform: MACRelease.parse)
  var built: MACRelease?

  @Argument(help: "The release that it runs on.", transform: MACRelease.parse)
  var running: MACRelease?

  @Flag(help: "Count what happens for every pair of different tables.")
  var all = false

  @Option(
    name: .customLong("case"),
    help: "One of the talk's four cases: 1 to 4, deleted, prototype, insertion, same-number.")
  var example: String?

  @Option(name: [.customShort("o"), .long], help: "How it is written.")
  var output: TableFormat = .text

  func validate() throws {
    let isNamed = built != nil
    guard [all, example != nil, isNamed].count(where: { $0 }) <= 1 else {
      throw ValidationError("give one of releases, --all and --case")
    }
    if let example, MACCase.named(example) == nil {
      let known = MACCase.all.map { "\($0.number) (\($0.name))" }.joined(separator: ", ")
      throw ValidationError("there is no case \(example); known are \(known)")
    }
  }

  func run() {
    let sheet =
      if all {
        MACSheets.pairs
      } else if let example = example.flatMap(MACCase.named) {
        MACSheets.example(example)
      } else if let built, let running {
        MACSheets.skew(MACSkew(built: built.table, running: running.table), built, running)
      } else if let built {
        MACSheets.slots(built.table)
      } else {
        MACSheets.releases
      }
    Console.data(sheet.text(as: output))
    if let note = sheet.note { Console.note(note) }
  }
}
