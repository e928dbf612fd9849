// SPDX-License-Identifier: Apache-2.0

/// A program or a library as dyld and the kernel read it: a Mach-O file, checked.
struct ImageFile: Sendable {
  /// Where its slice begins in the file.
  let offset: UInt64
  let type: UInt32
  let segments: [MachOSegment]
  /// The libraries that it needs, by path.
  let libraries: [String]
  let signature: CodeSignature?

  /// A program, a library, a bundle: MH_EXECUTE, MH_DYLIB, MH_BUNDLE.
  static let program: UInt32 = 2
  static let library: UInt32 = 6
  static let bundle: UInt32 = 8

  static let magic: UInt32 = 0xFEED_FACF
  static let processor: UInt32 = 0x0100_0007
  static let segmentCommand: UInt32 = 0x19
  static let libraryCommand: UInt32 = 0x0C
  static let signatureCommand: UInt32 = 0x1D
  private static let longestPath = 1023

  /// Whether dyld loads it into a process.
  var isLibrary: Bool { type == Self.library || type == Self.bundle }

  /// Reads the slice for the model's processor.
  ///
  /// - Throws: where it is broken, or that it has no such slice.
  init(_ contents: [UInt8], file: String) throws(MachOError) {
    let whole = MachOBytes(contents, file: file)
    guard
      let slice = try MachOSlices(whole).slices.first(where: {
        $0.cpu == nil || $0.cpu?.type == Self.processor
      })?.bytes
    else { throw whole.unsupported(0, "no slice for x86_64") }
    let magic: UInt32 = try slice.number(at: 0, "the magic number")
    guard magic == Self.magic else { throw slice.unsupported(0, "no 64-bit Mach-O file") }
    let processor: UInt32 = try slice.number(at: 4, "the header")
    guard processor == Self.processor else { throw slice.unsupported(4, "no image for x86_64") }
    offset = slice.start
    type = try slice.number(at: 12, "the header")
    var segments: [MachOSegment] = []
    var libraries: [String] = []
    var signature: CodeSignature?
    for (kind, command) in try MachOImage.commands(slice) {
      switch kind {
      case Self.segmentCommand: segments.append(try MachOSegment(command, in: slice))
      case Self.libraryCommand:
        let place: UInt32 = try command.number(at: 8, "a library command")
        guard let path = command.text(at: UInt64(place), longest: Self.longestPath) else {
          throw command.malformed(8, "a library without a path")
        }
        libraries.append(path)
      case Self.signatureCommand:
        let place: UInt32 = try command.number(at: 8, "the signature command")
        let size: UInt32 = try command.number(at: 12, "the signature command")
        signature = CodeSignature(
          try slice.part(at: UInt64(place), count: UInt64(size), "the signature"))
      default: break
      }
    }
    self.segments = segments
    self.libraries = libraries
    self.signature = signature
  }
}
