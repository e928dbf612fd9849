// SPDX-License-Identifier: Apache-2.0

/// A type of C in the prototype of a MAC operation, as a 64-bit kernel passes it.
public struct MACType: Sendable, Hashable {
  /// How a value is passed.
  enum Shape: Sendable, Hashable {
    case none
    /// An integer or a pointer.
    case integer(bytes: Int, isSigned: Bool)
    /// A structure by value, with what its parts of 64 bits are called.
    case structure(words: [String])
  }

  /// The type as it is written in C.
  public let name: String
  let shape: Shape

  /// Takes a type by its spelling; nil when its size is not known.
  init?(_ name: String) {
    self.name = name
    if name.hasSuffix("*") {
      shape = Self.pointer
    } else if let known = Self.known[name] {
      shape = known
    } else {
      return nil
    }
  }

  /// How many words of 64 bits a value takes in the arguments of an event.
  public var words: Int {
    switch shape {
    case .none: 0
    case .integer: 1
    case .structure(let words): words.count
    }
  }

  /// Whether it is passed as one word.
  var isPlain: Bool { if case .structure = shape { false } else { true } }

  private static let pointer = Shape.integer(bytes: 8, isSigned: false)
  private static let int = Shape.integer(bytes: 4, isSigned: true)
  private static let unsignedInt = Shape.integer(bytes: 4, isSigned: false)
  private static let long = Shape.integer(bytes: 8, isSigned: true)
  private static let unsignedLong = Shape.integer(bytes: 8, isSigned: false)

  /// What is no pointer by its spelling.
  ///
  /// Source: XNU `sys/types.h`, `mach/mach_types.h`, `security/mac_policy.h`; LP64.
  private static let known: [String: Shape] = [
    "void": .none,
    "int": int, "int32_t": int, "pid_t": int, "dev_t": int, "cpu_type_t": int,
    "unsigned int": unsignedInt, "u_int": unsignedInt, "uint32_t": unsignedInt,
    "uid_t": unsignedInt, "gid_t": unsignedInt, "mach_task_flavor_t": unsignedInt,
    "mach_msg_type_number_t": unsignedInt,
    "unsigned short": .integer(bytes: 2, isSigned: false),
    "mode_t": .integer(bytes: 2, isSigned: false),
    "off_t": long, "user_long_t": long,
    "unsigned long": unsignedLong, "u_long": unsignedLong, "size_t": unsignedLong,
    "uint64_t": unsignedLong, "user_addr_t": unsignedLong, "user_size_t": unsignedLong,
    "kauth_cred_t": pointer, "socket_t": pointer, "proc_t": pointer, "io_object_t": pointer,
    "thread_state_t": pointer, "proc_ident_t": pointer, "launch_constraint_data_t": pointer,
    "struct timespec": .structure(words: ["tv_sec", "tv_nsec"]),
    "audit_token_t": .structure(words: ["val01", "val23", "val45", "val67"]),
  ]
}
