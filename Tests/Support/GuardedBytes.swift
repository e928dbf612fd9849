// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Bytes that end where an inaccessible page begins: reading one byte too many ends the process.
public final class GuardedBytes {
  /// The bytes, zero at first.
  public let bytes: UnsafeMutableRawBufferPointer
  private let mapping: UnsafeMutableRawPointer
  private let length: Int

  /// Makes so many bytes.
  public init(count: Int) {
    let page = Int(getpagesize())
    let data = (count + page - 1) / page * page
    length = data + page
    guard
      let mapping = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED, mprotect(mapping + data, page, PROT_NONE) == 0
    else { fatalError("no memory for \(count) bytes: \(String(cString: strerror(errno)))") }
    self.mapping = mapping
    bytes = UnsafeMutableRawBufferPointer(start: mapping + data - count, count: count)
  }

  deinit { munmap(mapping, length) }

  /// Puts content at the very end of the bytes and returns where it lies, valid as long as the object.
  public func place(_ content: some Collection<UInt8>) -> UnsafeRawBufferPointer {
    let place = UnsafeMutableRawBufferPointer(rebasing: bytes.suffix(content.count))
    place.copyBytes(from: content)
    return UnsafeRawBufferPointer(place)
  }
}

/// Calls the body with a copy of some bytes that an inaccessible page follows.
public func withGuardedBytes<Result, Failure: Error>(
  _ content: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  let guarded = GuardedBytes(count: content.count)
  return try withExtendedLifetime(guarded) { () throws(Failure) in try body(guarded.place(content))
  }
}
