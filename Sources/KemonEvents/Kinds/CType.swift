// SPDX-License-Identifier: Apache-2.0

/// A type of C in the prototype of a kernel's function, as a 64-bit kernel passes it.
public struct CType: Sendable, Hashable {
  /// How a value is passed.
  public enum Shape: Sendable, Hashable {
    /// There is no value.
    case void
    /// A number.
    case integer(bytes: Int, isSigned: Bool)
    /// A pointer, or a type that stands for one.
    case address
    /// A structure by value, with what its parts of 64 bits are called.
    case structure(words: [String])
  }

  /// The type as it is written in C.
  public let name: String
  /// How a value is passed.
  public let shape: Shape

  /// Takes a type by its spelling; nil when its size is not known.
  public init?(_ name: String) {
    self.name = name
    if name.hasSuffix("*") {
      shape = .address
    } else if let known = Self.known[name] {
      shape = known
    } else {
      return nil
    }
  }

  private static let int = Shape.integer(bytes: 4, isSigned: true)
  private static let unsignedInt = Shape.integer(bytes: 4, isSigned: false)
  private static let long = Shape.integer(bytes: 8, isSigned: true)
  private static let unsignedLong = Shape.integer(bytes: 8, isSigned: false)

  /// What is no pointer by its spelling.
  ///
  /// Source: XNU `sys/types.h`, `mach/mach_types.h`, `security/mac_policy.h`; LP64.
  private static let known: [String: Shape] = [
    "void": .void,
    "int": int, "int32_t": int, "pid_t": int, "dev_t": int, "cpu_type_t": int,
    "unsigned int": unsignedInt, "u_int": unsignedInt, "uint32_t": unsignedInt,
    "uid_t": unsignedInt, "gid_t": unsignedInt, "mach_task_flavor_t": unsignedInt,
    "mach_msg_type_number_t": unsignedInt,
    "unsigned short": .integer(bytes: 2, isSigned: false),
    "mode_t": .integer(bytes: 2, isSigned: false),
    "off_t": long, "user_long_t": long,
    "unsigned long": unsignedLong, "u_long": unsignedLong, "size_t": unsignedLong,
    "uint64_t": unsignedLong, "user_addr_t": unsignedLong, "user_size_t": unsignedLong,
    "kauth_cred_t": .address, "socket_t": .address, "proc_t": .address, "io_object_t": .address,
    "thread_state_t": .address, "proc_ident_t": .address, "launch_constraint_data_t": .address,
    "struct timespec": .structure(words: ["tv_sec", "tv_nsec"]),
    "audit_token_t": .structure(words: ["val01", "val23", "val45", "val67"]),
  ]
}
