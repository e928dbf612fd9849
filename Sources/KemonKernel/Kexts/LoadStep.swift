// SPDX-License-Identifier: Apache-2.0

/// A process asks the kernel to load a kext: one of the session, or one on disk.
struct LoadStep: SessionStep {
  static let name = "load"
  static let about = "Loads a kext, and before it what it needs."
  static let mainField: String? = "kext"
  static let fields: [SessionField] = [
    .optional("kext", .kext, "which kext of the session"),
    .optional(
      "file", .text,
      "instead: a bundle, or an executable, seen from the folder of the session; none of its code runs"
    ),
    .optional(
      "start", .choice(levels.map(\.name)), "what is started: all (default), dependencies, nothing"),
  ]

  private static let levels: [(name: String, level: KextLoader.StartLevel)] = [
    ("all", .all), ("dependencies", .dependencies), ("nothing", .nothing),
  ]

  private enum Subject {
    case kext(String)
    case file(String)
  }

  private let subject: Subject
  private let level: KextLoader.StartLevel

  init(kext: String) {
    subject = .kext(kext)
    level = .all
  }

  init(_ members: SessionMembers) throws(SessionError) {
    switch (members["kext"], members["file"]) {
    case (let kext?, nil): subject = .kext(kext.string)
    case (nil, let file?): subject = .file(file.pathInFolder)
    default: throw members.object.error("needed is either \"kext\" or \"file\"")
    }
    let name = members["start"]?.string
    level = Self.levels.first { $0.name == name }?.level ?? .all
  }

  func perform(in context: StepContext) -> StepOutcome {
    let kexts = context.model.kexts
    switch subject {
    case .kext(let id): return kexts.request { $0.request(id, starting: level) }.outcome
    case .file(let path):
      do throws(MachOError) {
        let id = try kexts.add(
          try KextFile(contentsOf: path), registeringIn: context.model.mac)
        let outcome = kexts.request { $0.request(id, starting: level) }.outcome
        return StepOutcome(failure: outcome.failure, text: id)
      } catch {
        return .failed(KextReturn.badData.description, error.description)
      }
    }
  }
}
