// SPDX-License-Identifier: Apache-2.0

/// An absolute path in normal form: a view of bytes that somebody else keeps.
///
/// It has no empty component, no dot and no dot-dot, and no slash at its end; the root is a slash alone.
struct PathView {
  let bytes: UnsafeRawBufferPointer

  /// Whether a path lies in a directory, or is the directory itself: whole components, so `/etc` is not the
  /// beginning of `/etcetera`.
  func isInside(_ directory: [UInt8]) -> Bool {
    guard directory.count > 1 else { return true }
    guard bytes.count >= directory.count, startsLike(directory, directory.count) else {
      return false
    }
    return bytes.count == directory.count || bytes[directory.count] == slash
  }

  /// Whether a path whose end was cut off could lie in a directory.
  func couldLeadInside(_ directory: [UInt8]) -> Bool {
    isInside(directory) || (bytes.count < directory.count && startsLike(directory, bytes.count))
  }

  private func startsLike(_ other: [UInt8], _ count: Int) -> Bool {
    other.withUnsafeBytes {
      bytes[..<count].elementsEqual($0[..<count])
    }
  }

  /// Calls the body with the normal form of an absolute path.
  ///
  /// Most paths are in normal form already and are used in place. Others are rewritten on the stack, or on the heap
  /// when they are long. `..` is resolved by the text alone: a symbolic link before it is not followed.
  static func withNormalForm<Result>(
    of path: UnsafeRawBufferPointer, _ body: (PathView) -> Result
  ) -> Result {
    guard !isNormal(path) else { return body(PathView(bytes: path)) }
    return withUnsafeTemporaryAllocation(byteCount: path.count + 1, alignment: 1) { scratch in
      let count = normalise(path, into: scratch)
      return body(PathView(bytes: UnsafeRawBufferPointer(rebasing: scratch[..<count])))
    }
  }

  /// Whether an absolute path is in normal form: one pass over its bytes.
  static func isNormal(_ path: UnsafeRawBufferPointer) -> Bool {
    guard path.count > 1 else { return true }
    var length = 0
    var isDots = true
    for index in 1..<path.count {
      let byte = path[index]
      if byte == slash {
        if isDots && length <= 2 { return false }
        length = 0
        isDots = true
      } else {
        length += 1
        isDots = isDots && byte == dot
      }
    }
    return !(isDots && length <= 2)
  }

  /// Writes the normal form; returns its length, which is never more than the path's.
  private static func normalise(
    _ path: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
  ) -> Int {
    var length = 0
    for component in path.split(separator: slash) {
      switch component.count {
      case 1 where component.first == dot:
        break
      case 2 where component.allSatisfy { $0 == dot }:
        while length > 0 {
          length -= 1
          if out[length] == slash { break }
        }
      default:
        out[length] = slash
        UnsafeMutableRawBufferPointer(rebasing: out[(length + 1)...]).copyBytes(from: component)
        length += 1 + component.count
      }
    }
    guard length > 0 else {
      out[0] = slash
      return 1
    }
    return length
  }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
