// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import Synchronization

/// A copy of a library in memory that nobody can change any more: what is checked is what is loaded.
///
/// The copy is sealed before it is hashed and parsed. It cannot shrink either, so reading it never faults.
/// Its bytes are constant, hence the unchecked conformance is sound.
final class SealedImage: @unchecked Sendable {
  /// The largest library, in bytes; a Swift plugin with its runtime inside has about nine million.
  static let sizeLimit = 64 << 20

  /// The copy's descriptor, open as long as the image lives.
  let descriptor: Int32
  /// All bytes.
  let bytes: UnsafeRawBufferPointer
  /// SHA-256 of the bytes, in hexadecimal.
  let sha256: String

  /// The path by which the dynamic linker finds the copy, spelled as no other copy's in the life of the process.
  ///
  /// glibc knows a loaded library by the text of its path. A number of a descriptor is used again once the image is gone,
  /// and would bring back the old library for the new one.
  let linkerPath: String

  private static let lastSerial = Atomic<UInt64>(0)

  /// A path to a descriptor with a number hidden in it: `/.` for each bit that is 1, `/` for each 0.
  static func path(to descriptor: Int32, serial: UInt64) -> String {
    let steps = String(serial, radix: 2).map { $0 == "1" ? "/." : "/" }
    return "/proc/self/fd\(steps.joined())/\(descriptor)"
  }

  /// Copies a file, seals the copy and hashes it.
  ///
  /// - Parameter path: for messages and for the name of the copy in /proc/self/maps.
  init(copying file: borrowing Descriptor, path: String) throws(PluginProblem) {
    func problem(_ what: String, _ error: Int32) -> PluginProblem {
      PluginProblem(
        .fileCopy, file: path, found: "\(what): \(describe(errno: error))",
        needed: "a copy in memory")
    }
    let name = path.split(separator: "/").last.map(String.init) ?? "plugin"
    let number = ckemon_memfd_create(String(name.utf8.prefix(200)) ?? "plugin")
    guard number >= 0 else { throw problem("memfd_create", -number) }
    let copy = Descriptor(number)
    let size = try Self.copy(file, to: copy, path: path)
    let sealed = ckemon_memfd_seal(copy.number)
    guard sealed == 0 else { throw problem("seals", -sealed) }
    let mapping = mmap(nil, size, PROT_READ, MAP_SHARED, copy.number, 0)
    guard let mapping, mapping != MAP_FAILED else { throw problem("mmap", errno) }
    bytes = UnsafeRawBufferPointer(start: mapping, count: size)
    sha256 = SHA256.hexDigest(of: bytes)
    descriptor = copy.release()
    linkerPath = Self.path(
      to: descriptor, serial: Self.lastSerial.wrappingAdd(1, ordering: .relaxed).newValue)
  }

  /// Takes over a copy that another process has made and sealed.
  init(adopting descriptor: Int32, path: String) throws(PluginProblem) {
    let copy = Descriptor(descriptor)
    guard ckemon_memfd_is_sealed(copy.number) == 1, let size = copy.status()?.st_size, size > 0
    else {
      throw PluginProblem(
        .fileCopy, file: path, found: "a file that can be changed", needed: "a sealed copy")
    }
    let mapping = mmap(nil, Int(size), PROT_READ, MAP_SHARED, copy.number, 0)
    guard let mapping, mapping != MAP_FAILED else {
      throw PluginProblem(
        .fileCopy, file: path, found: "mmap: \(describe(errno: errno))", needed: "a copy in memory")
    }
    bytes = UnsafeRawBufferPointer(start: mapping, count: Int(size))
    sha256 = SHA256.hexDigest(of: bytes)
    self.descriptor = copy.release()
    linkerPath = Self.path(
      to: descriptor, serial: Self.lastSerial.wrappingAdd(1, ordering: .relaxed).newValue)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    close(descriptor)
  }

  private static func copy(
    _ file: borrowing Descriptor, to copy: borrowing Descriptor, path: String
  ) throws(PluginProblem) -> Int {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { block.deallocate() }
    var size = 0
    while true {
      let count = read(file.number, block.baseAddress, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw PluginProblem(
          .fileOpen, file: path, found: describe(errno: errno), needed: "a readable file")
      }
      if count == 0 { break }
      size += count
      // The file may have grown since its size was checked.
      guard size <= sizeLimit else {
        throw PluginProblem(
          .fileSize, file: path, found: "more than \(sizeLimit) bytes", needed: "at most as many")
      }
      var written = 0
      while written < count {
        let step = write(copy.number, block.baseAddress.map { $0 + written }, count - written)
        if step < 0, errno == EINTR { continue }
        guard step > 0 else {
          throw PluginProblem(
            .fileCopy, file: path, found: describe(errno: errno), needed: "a copy in memory")
        }
        written += step
      }
    }
    guard size > 0 else {
      throw PluginProblem(.fileEmpty, file: path, found: "0 bytes", needed: "a shared library")
    }
    return size
  }
}
