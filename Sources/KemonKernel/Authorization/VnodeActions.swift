// SPDX-License-Identifier: Apache-2.0

/// What somebody wants to do with a vnode: the action of the scope `com.apple.kauth.vnode`.
///
/// Some bits have another name where the vnode is a directory.
///
/// Source: XNU 4570.71.2, `sys/kauth.h`.
public struct VnodeActions: OptionSet, Sendable, Hashable {
  /// The bits.
  public let rawValue: UInt32

  /// Takes the bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Read the data of a file, or the names in a directory.
  public static let readData = VnodeActions(rawValue: 1 << 1)
  /// Write the data of a file, or add a file to a directory.
  public static let writeData = VnodeActions(rawValue: 1 << 2)
  /// Execute a file, or look names up in a directory.
  public static let execute = VnodeActions(rawValue: 1 << 3)
  /// Delete it.
  public static let delete = VnodeActions(rawValue: 1 << 4)
  /// Append to a file, or add a directory to a directory.
  public static let appendData = VnodeActions(rawValue: 1 << 5)
  /// Look names up in a directory.
  public static let search = execute
  /// Add a file to a directory.
  public static let addFile = writeData
  /// Add a directory to a directory.
  public static let addSubdirectory = appendData
  /// Change the mode, the owner, the access list.
  public static let writeSecurity = VnodeActions(rawValue: 1 << 12)

  /// A bit and its names.
  struct Name: Sendable {
    let bit: UInt32
    let ofFile: String
    let ofDirectory: String
  }

  /// The bits that have names, in their order.
  static let names: [Name] = [
    Name(1, "READ_DATA", "LIST_DIRECTORY"), Name(2, "WRITE_DATA", "ADD_FILE"),
    Name(3, "EXECUTE", "SEARCH"), Name(4, "DELETE"), Name(5, "APPEND_DATA", "ADD_SUBDIRECTORY"),
    Name(6, "DELETE_CHILD"), Name(7, "READ_ATTRIBUTES"), Name(8, "WRITE_ATTRIBUTES"),
    Name(9, "READ_EXTATTRIBUTES"), Name(10, "WRITE_EXTATTRIBUTES"), Name(11, "READ_SECURITY"),
    Name(12, "WRITE_SECURITY"), Name(13, "TAKE_OWNERSHIP", "CHANGE_OWNER"), Name(20, "SYNCHRONIZE"),
    Name(25, "LINKTARGET"), Name(26, "CHECKIMMUTABLE"), Name(29, "SEARCHBYANYONE"),
    Name(30, "NOIMMUTABLE"), Name(31, "ACCESS"),
  ]

  /// The names of the bits as Kemon writes them: joined by `|` in the order of the bits, what is left as a number.
  ///
  /// - Parameter isDirectory: chooses between the two names that some bits have.
  public func text(isDirectory: Bool) -> String {
    var rest = rawValue
    var parts: [String] = []
    for name in Self.names where rawValue & (1 << name.bit) != 0 {
      parts.append("KAUTH_VNODE_" + (isDirectory ? name.ofDirectory : name.ofFile))
      rest &= ~(1 << name.bit)
    }
    if rest != 0 {
      let digits = String(rest, radix: 16)
      parts.append("0x" + String(repeating: "0", count: 8 - digits.count) + digits)
    }
    return parts.joined(separator: "|")
  }
}

extension VnodeActions.Name {
  fileprivate init(_ bit: UInt32, _ ofFile: String, _ ofDirectory: String? = nil) {
    self.init(bit: bit, ofFile: ofFile, ofDirectory: ofDirectory ?? ofFile)
  }
}
