// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// Why an image was not loaded.
public struct DyldError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The image, by the path that it was asked for.
  public let path: String
  /// What the kernel said; nil when it was not the kernel.
  public let error: DarwinErrno?
  /// What was wrong.
  public let reason: String

  /// As dlerror has it.
  public var description: String {
    "\(path): \(reason)" + (error.map { " (\($0))" } ?? "")
  }
}

/// The dynamic linker of the model's processes: what it does in their name, from the path to the mapped segments.
///
/// Runs outside of the kernel: everything here is a system call, or nothing that the kernel could see.
public struct Dyld: Sendable {
  private let processes: Processes

  /// Where libraries without a folder in their name are looked for.
  private static let folders = ["/usr/local/lib", "/lib", "/usr/lib"]

  /// Makes the linker of a kernel's processes.
  public init(_ processes: Processes) { self.processes = processes }

  private var files: FileSystem { processes.files }

  /// Loads a library with everything that it needs, unless the process has it already: dlopen.
  ///
  /// - Throws: what was wrong first; nothing of it stays in the process.
  @discardableResult
  public func load(
    _ path: String, in process: ModelProcess
  ) throws(DyldError) -> LoadedImage {
    var loaded: [LoadedImage] = []
    do throws(DyldError) {
      return try load(path, in: process, behind: 0, &loaded)
    } catch {
      for image in loaded { unload(image, from: process) }
      throw error
    }
  }

  /// Takes an image out of a process: dlclose.
  ///
  /// What it has brought along stays.
  public func unload(_ image: LoadedImage, from process: ModelProcess) {
    for address in image.segments { processes.unmap(address, in: process) }
    process.withState { $0.memory.images.removeAll { $0 == image } }
  }

  /// Loads what a process' program needs, as dyld does before it lets the program run.
  ///
  /// - Throws: what was wrong; the process has ended then, by SIGABRT.
  public func launch(_ process: ModelProcess) throws(DyldError) {
    guard let path = process.identity.exe, process.isAlive,
      let vnode = try? files.vnode(path), let image = try? image(of: vnode, path)
    else { return }
    do throws(DyldError) {
      for library in image.libraries { try load(library, in: process) }
    } catch {
      processes.end(process, .killed(by: KERNEL_SIGABRT, namespace: Self.reasonDyld, reason: 1))
      throw error
    }
  }

  /// OS_REASON_DYLD; its code 1 is a library that is missing.
  private static let reasonDyld: UInt32 = 6

  // MARK: One image

  /// How many libraries may need each other in a row; systems have some tens.
  private static let longestChain = 100

  /// - Parameter depth: how many libraries lead to this one.
  private func load(
    _ path: String, in process: ModelProcess, behind depth: Int, _ loaded: inout [LoadedImage]
  ) throws(DyldError) -> LoadedImage {
    let candidates = path.contains("/") ? [path] : Self.folders.map { "\($0)/\(path)" }
    if let known = process.withState({ state in
      state.memory.images.first { candidates.contains($0.path) }
    }) {
      return known
    }
    if let cached = candidates.first(where: processes.sharedCache.contains) {
      let image = LoadedImage(path: cached, segments: [])
      process.withState { $0.memory.images.append(image) }
      return image
    }
    guard depth < Self.longestChain else {
      throw DyldError(
        path: path, error: nil,
        reason: "more than \(Self.longestChain) libraries need each other in a row")
    }
    guard
      let found = candidates.first(where: { (try? files.status($0, as: process.context)) != nil })
    else { throw DyldError(path: path, error: .ENOENT, reason: "image not found") }
    let (file, segments) = try map(found, in: process)
    let image = LoadedImage(path: found, segments: segments)
    process.withState { $0.memory.images.append(image) }
    loaded.append(image)
    for library in file.libraries {
      _ = try load(library, in: process, behind: depth + 1, &loaded)
    }
    return image
  }

  private func map(
    _ path: String, in process: ModelProcess
  ) throws(DyldError) -> (ImageFile, [UInt64]) {
    let descriptor: Int32
    let opened: OpenFile
    do throws(DarwinErrno) {
      descriptor = try files.open(path, [.read], as: process.context)
      opened = try process.context.descriptors.withLock { table throws(DarwinErrno) in
        try table.file(descriptor)
      }
    } catch { throw DyldError(path: path, error: error, reason: "open failed") }
    // What was mapped stays without it.
    defer { try? files.close(descriptor, as: process.context) }
    let image = try image(of: opened.vnode, path)
    guard image.isLibrary else {
      throw DyldError(path: path, error: nil, reason: "no library, file type \(image.type)")
    }
    try checkSignature(of: image, opened, path, process)
    try compare(opened, image, path, process)
    var segments: [UInt64] = []
    for segment in image.segments where segment.fileSize > 0 {
      do throws(DarwinErrno) {
        segments.append(
          try processes.map(
            opened, offset: image.offset + segment.fileOffset, size: segment.fileSize,
            protection: Int32(bitPattern: segment.protection),
            flags: KERNEL_MAP_FIXED | KERNEL_MAP_PRIVATE, in: process))
      } catch {
        for address in segments { processes.unmap(address, in: process) }
        throw DyldError(path: path, error: error, reason: "mmap of \(segment.name) failed")
      }
    }
    return (image, segments)
  }

  private func image(of vnode: Vnode, _ path: String) throws(DyldError) -> ImageFile {
    let contents = files.withContents(of: vnode) { vnode.contents }
    do throws(MachOError) {
      return try ImageFile(contents, file: path)
    } catch {
      throw DyldError(path: path, error: nil, reason: error.message)
    }
  }

  /// The kernel takes the signature, unless it has it; two errors of policies count, others do not.
  private func checkSignature(
    of image: ImageFile, _ file: OpenFile, _ path: String, _ process: ModelProcess
  ) throws(DyldError) {
    if image.signature != nil {
      let error = processes.addSignature(of: image, file, for: process)
      if error == .EPERM || error == .EBADEXEC {
        throw DyldError(path: path, error: error, reason: "code signature is not accepted")
      }
    }
    guard process.signingFlags & KERNEL_CS_REQUIRE_LV != 0 else { return }
    if let error = processes.checkLibraryValidation(of: image, file, for: process) {
      throw DyldError(path: path, error: error, reason: "library validation failed")
    }
  }

  /// The first page is mapped shared and compared with what was read, so that nobody changes the file between.
  private func compare(
    _ file: OpenFile, _ image: ImageFile, _ path: String, _ process: ModelProcess
  ) throws(DyldError) {
    do throws(DarwinErrno) {
      let address = try processes.map(
        file, offset: image.offset, size: UInt64(CodeSignature.pageSize),
        protection: KERNEL_PROT_READ | KERNEL_PROT_EXEC, flags: KERNEL_MAP_SHARED, in: process)
      processes.unmap(address, in: process)
    } catch { throw DyldError(path: path, error: error, reason: "mmap of the header failed") }
  }
}
