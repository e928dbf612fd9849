// SPDX-License-Identifier: Apache-2.0

extension StepContext {
  /// The acting process in the file layer.
  var caller: ProcessContext { actor.context }

  /// Lets a system call happen and says what came out.
  func call(_ body: () throws(DarwinErrno) -> String) -> StepOutcome {
    do {
      return .done(try body())
    } catch {
      return .result(error.rawValue)
    }
  }

  /// Keeps an open file for later steps of the same process.
  func keep(_ descriptor: Int32, as name: String) {
    objects.keep(KeptFile(descriptor, caller), as: Self.key(name))
  }

  /// An open file that an earlier step left; EBADF when there is none.
  func kept(_ name: String) throws(DarwinErrno) -> KeptFile {
    guard let file: KeptFile = objects.find(Self.key(name)) else { throw .EBADF }
    return file
  }

  /// Lets go of an open file.
  func forget(_ name: String) { objects.forget(Self.key(name)) }

  private static func key(_ name: String) -> String { "file \(name)" }
}

/// A descriptor that a step left for later ones.
final class KeptFile {
  let descriptor: Int32
  /// Whose it is.
  let owner: ProcessContext

  init(_ descriptor: Int32, _ owner: ProcessContext) {
    self.descriptor = descriptor
    self.owner = owner
  }
}

extension SessionValue {
  /// Permission bits, written as a text of octal digits: JSON has no octal numbers.
  func permissions() throws(SessionError) -> UInt16 {
    guard let mode = UInt16(string, radix: 8), mode <= 0o7777 else {
      throw error("\"\(string)\" is no mode; needed are up to four octal digits, as in \"0644\"")
    }
    return mode
  }
}
