// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel
import KemonText

struct KextInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Say what a kext is, without running any of its code.",
    discussion: """
      For each processor: identifier, version, the first instructions of its start routine, what it \
      imports, and the MAC policies that it declares. A broken slice of a fat file is reported, the \
      others are shown, and the exit code is 2.
      """)

  @Argument(
    help: "A bundle (*.kext), or the executable in it.", completion: .file())
  var file: String

  @Option(name: [.customShort("o"), .long], help: "How it is written.")
  var output: ReportFormat = .text

  func run() throws {
    let kext: KextFile
    do {
      kext = try KextFile(contentsOf: file)
    } catch {
      Console.error(error.description)
      throw error.code == .unreadable ? ExitStatus.inputMissing : ExitStatus.badData
    }
    switch output {
    case .text: Console.data(KextReport.text(of: kext))
    case .json: Console.data(KextReport.json(of: kext).text)
    }
    let errors = kext.slices.compactMap { slice in
      if case .failure(let error) = slice { error } else { nil as MachOError? }
    }
    for error in errors { Console.error(error.description) }
    if !errors.isEmpty {
      throw errors.count == kext.slices.count ? ExitStatus.badData : ExitStatus.incompleteInput
    }
  }
}
