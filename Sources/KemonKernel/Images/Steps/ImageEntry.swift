// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A program or a library that is in the tree before anything happens: an element of the section `images`.
///
/// Nobody is asked and nobody is told.
struct ImageEntry: SessionStep {
  static let name = "image"
  static let about = "Is in the tree before anything happens."
  static let mainField: String? = "path"
  static let fields: [SessionField] = [
    .required("path", .path, "where it is"),
    .optional(
      "type", .choice(ImageDescription.Kind.allCases.map(\.rawValue)), "program by default"),
    .optional(
      "cached", .flag, "a library of the shared cache, of which there is no file; false by default"),
    .optional("libraries", .list(.path), "what it needs; nothing by default"),
    .optional("fat", .flag, "a fat file, false by default"),
    .optional(
      "signed", .list(.choice(signingFlags.map(\.name))),
      "it is signed, with these flags; not signed by default"),
    .optional("tampered", .flag, "its code was changed after that, false by default"),
    .optional("mode", .text, "permission bits, 0755 by default"),
    .optional("uid", .integer(UInt32.self), "the owner, 0 by default"),
    .optional("gid", .integer(UInt32.self), "the group, 0 by default"),
  ]

  private static let signingFlags: [(name: String, bit: UInt32)] = [
    ("hard", KERNEL_CS_HARD), ("kill", KERNEL_CS_KILL),
    ("library-validation", KERNEL_CS_REQUIRE_LV),
  ]

  private let path: String
  private let isCached: Bool
  private let entry: TreeEntry

  init(_ members: SessionMembers) throws(SessionError) {
    path = members.required("path").string
    isCached = members["cached"]?.flag ?? false
    var image = ImageDescription()
    image.kind = members["type"].flatMap { .init(rawValue: $0.string) } ?? .program
    if isCached, image.kind != .library {
      throw members.object.error("only a library is in the shared cache")
    }
    let libraries = members["libraries"]
    image.libraries = libraries?.elements.map(\.string) ?? []
    let pathBytes = image.libraries.reduce(0) { $0 + $1.utf8.count }
    if let libraries, image.libraries.count > 32 || pathBytes > 4096 {
      throw libraries.error("at most 32 libraries, of 4096 bytes in all, are needed")
    }
    image.isFat = members["fat"]?.flag ?? false
    image.signing = members["signed"]?.elements.reduce(0) { flags, flag in
      let bit = Self.signingFlags.first { $0.name == flag.string }?.bit ?? 0
      return flags | bit
    }
    image.isTampered = members["tampered"]?.flag ?? false
    entry = TreeEntry(
      type: .regular, mode: try members["mode"]?.permissions() ?? 0o755,
      user: members["uid"]?.integer() ?? 0, group: members["gid"]?.integer() ?? 0,
      contents: isCached ? [] : image.bytes)
  }

  func perform(in context: StepContext) -> StepOutcome {
    context.call { () throws(DarwinErrno) in
      if isCached {
        context.model.processes.sharedCache.insert(path)
      } else {
        try context.model.files.place(entry, at: path)
      }
      return ""
    }
  }
}
