// SPDX-License-Identifier: Apache-2.0

/// The header that policies in C are compiled with: `security/mac_policy.h` of a release, as far as its layout goes.
///
/// Compiles on Linux. The types whose size differs there are called `xnu_mode_t` and `xnu_dev_t`.
public struct MACHeader: Sendable {
  private let release: MACRelease

  /// The header of a release.
  public init(_ release: MACRelease) { self.release = release }

  /// The text of the file.
  public var text: String {
    ([head] + [structures] + [Self.types] + prototypes + [operations, Self.registration])
      .joined(separator: "\n") + "\n"
  }

  private var head: String {
    """
    /* SPDX-License-Identifier: Apache-2.0
     * Layout of MAC policies in xnu-\(release.xnu) (\(release.systems.joined(separator: ", "))): identifiers and types.
     * Made by `kemon-host mac header \(release.version)`. */
    #ifndef MAC_POLICY_H
    #define MAC_POLICY_H
    #include <stddef.h>
    #include <stdint.h>
    #include <sys/types.h>
    #include <time.h>

    \(release.opsVersion.map { "#define MAC_POLICY_OPS_VERSION \($0)\n" } ?? "")
    """
  }

  /// Every structure that is only pointed at.
  private var structures: String {
    var names: Set<String> = [
      "mac_policy_conf", "OSObject", "ucred", "proc", "socket", "launch_constraint_data",
      "proc_ident",
    ]
    for parameter in release.table.slots.flatMap(\.parameters) {
      let words = parameter.type.name.split(separator: " ").map(String.init)
      if let index = words.firstIndex(of: "struct"), words.last == "*" {
        names.insert(words[index + 1])
      }
    }
    return names.sorted().map { "struct \($0);" }.joined(separator: "\n")
  }

  private static let types = """

    typedef uint16_t xnu_mode_t;
    typedef int32_t xnu_dev_t;
    typedef struct ucred *kauth_cred_t;
    typedef struct proc *proc_t;
    typedef struct socket *socket_t;
    typedef struct OSObject *io_object_t;
    typedef struct launch_constraint_data *launch_constraint_data_t;
    typedef struct proc_ident *proc_ident_t;
    typedef uint32_t *thread_state_t;
    typedef uint32_t mach_msg_type_number_t;
    typedef uint32_t mach_task_flavor_t;
    typedef int32_t cpu_type_t;
    typedef uint64_t user_addr_t;
    typedef uint64_t user_size_t;
    typedef int64_t user_long_t;
    typedef struct {
      unsigned int val[8];
    } audit_token_t;

    typedef void mpo_reserved_hook_t(void);
    """

  private var prototypes: [String] {
    release.table.slots.filter { !$0.isReserved }.map { operation in
      let list = operation.parameters.map { Self.declare($0) }
      return "typedef \(operation.result.name) \(operation.name)_t("
        + (list.isEmpty ? "void" : list.joined(separator: ", ")) + ");"
    }
  }

  private static func declare(_ parameter: MACOperation.Parameter) -> String {
    var words = parameter.type.name.split(separator: " ").map(String.init)
    words = words.map { Self.spellings[$0] ?? $0 }
    let type = words.joined(separator: " ")
    return type.hasSuffix("*") ? "\(type)\(parameter.name)" : "\(type) \(parameter.name)"
  }

  /// Types that have another size on Linux, or are there only with extensions of the C library.
  private static let spellings = [
    "mode_t": "xnu_mode_t", "dev_t": "xnu_dev_t", "u_int": "unsigned int",
    "u_long": "unsigned long",
  ]

  private var operations: String {
    let slots = release.table.slots.map { operation in
      "  \(operation.isReserved ? "mpo_reserved_hook" : operation.name)_t *\(operation.name);"
    }
    return "\nstruct mac_policy_ops {\n" + slots.joined(separator: "\n") + "\n};"
  }

  private static let registration = """

    struct mac_policy_conf {
      const char *mpc_name;
      const char *mpc_fullname;
      const char **mpc_labelnames;
      unsigned int mpc_labelname_count;
      struct mac_policy_ops *mpc_ops;
      int mpc_loadtime_flags;
      int *mpc_field_off;
      int mpc_runtime_flags;
      struct mac_policy_conf *mpc_list;
      void *mpc_data;
    };

    #define MPC_LOADTIME_FLAG_NOTLATE 0x1
    #define MPC_LOADTIME_FLAG_UNLOADOK 0x2
    #define MPC_LOADTIME_FLAG_LABELMBUFS 0x4
    #define MPC_LOADTIME_BASE_POLICY 0x8

    typedef unsigned int mac_policy_handle_t;
    int mac_policy_register(struct mac_policy_conf *mpc, mac_policy_handle_t *handlep, void *xd);
    int mac_policy_unregister(mac_policy_handle_t handle);
    #endif
    """
}
