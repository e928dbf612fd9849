// SPDX-License-Identifier: Apache-2.0

/// A kext on disk: a bundle, or its executable alone.
///
/// Nothing in it is believed and none of its code runs. What is broken in one slice of a fat file is kept as an error,
/// the others are read all the same.
public struct KextFile: Sendable {
  /// What became of one slice.
  public typealias Slice = Result<KextImage, MachOError>

  /// The file or bundle, as it was given.
  public let path: String
  /// The executable.
  public let executable: String
  /// What the bundle says; nil for an executable alone.
  public let info: KextInfo?
  /// One slice, or one for each processor.
  public let slices: [Slice]

  /// Reads a kext.
  ///
  /// - Throws: that there is nothing to read, or what is wrong before any slice.
  public init(contentsOf path: String) throws(MachOError) {
    self.path = path
    if FileBytes.isFolder(path) {
      let info = try KextInfo(bundle: path)
      self.info = info
      executable = info.executable
    } else {
      info = nil
      executable = path
    }
    slices = try Self.slices(FileBytes.read(executable), file: executable)
  }

  /// Reads the bytes of an executable.
  ///
  /// - Parameter file: its name for errors.
  public init(_ bytes: [UInt8], file: String) throws(MachOError) {
    (path, executable, info) = (file, file, nil)
    slices = try Self.slices(bytes, file: file)
  }

  private static func slices(_ bytes: [UInt8], file: String) throws(MachOError) -> [Slice] {
    let found = try MachOSlices(MachOBytes(bytes, file: file))
    let slices = found.slices.map { slice in
      Slice { () throws(MachOError) in try KextImage(slice) }
    }
    // A thin file that is broken is a broken file.
    if !found.isFat, case .failure(let error)? = slices.first { throw error }
    return slices
  }

  /// The slice for a processor, if it is there and whole.
  public func image(for architecture: MachOArchitecture) -> KextImage? {
    slices.compactMap { try? $0.get() }.first { $0.architecture == architecture }
  }

  /// The identifier: the bundle's, or the executable's own.
  public var identifier: String? {
    info?.identifier ?? slices.lazy.compactMap { try? $0.get().identifier }.first
  }

  /// The version: the bundle's, or the executable's own.
  public var version: String? {
    info?.version ?? slices.lazy.compactMap { try? $0.get().version }.first
  }
}
