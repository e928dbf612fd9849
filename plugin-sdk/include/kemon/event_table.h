/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/event_table.h: every event kind, one row each. This is the single truth: the constants, the names, the Swift
 * EventKind, `kemon-host events` and the tests are all made from it. Include it through event.h.
 *
 * A row: KIND(constant, number, "name", family, phase, can_deny, payload)
 *
 *   number    stable for ever. 0x00-0x09, 0x20, 0x40-0x42 and 0x60-0x62 are the original's own message types.
 *             Where an operation has both sides, 0x100 | n is the pre side of post kind n.
 *   name      what handlers register for, together with the phase. One operation has one name.
 *   can_deny  1: the hook enforces a denial. 0: votes are recorded, the operation goes on.
 *   payload   a struct of payloads.h.
 *
 * Rows are appended, never changed: other meaning, other number.
 */
#ifndef KEMON_EVENT_TABLE
#define KEMON_EVENT_TABLE(KIND)                                                                                        \
  /* after the fact, as the original's KAUTH file operation listener saw them */                                       \
  KIND(FILE_OPEN, 0x00, "file.open", FILE, POST, 0, kemon_file)                                                        \
  KIND(FILE_CREATE, 0x01, "file.create", FILE, POST, 0, kemon_file)                                                    \
  KIND(FILE_CLOSE, 0x02, "file.close", FILE, POST, 0, kemon_file_close)                                                \
  KIND(FILE_RENAME, 0x03, "file.rename", FILE, POST, 0, kemon_file_pair)                                               \
  KIND(FILE_EXCHANGE, 0x04, "file.exchange", FILE, POST, 0, kemon_file_pair)                                           \
  KIND(FILE_LINK, 0x05, "file.link", FILE, POST, 0, kemon_file_pair)                                                   \
  KIND(PROCESS_EXEC, 0x06, "process.exec", PROCESS, POST, 0, kemon_exec)                                               \
  KIND(FILE_DELETE, 0x07, "file.delete", FILE, POST, 0, kemon_file)                                                    \
  KIND(FILE_WILL_RENAME, 0x08, "file.will_rename", FILE, PRE, 0, kemon_file_pair)                                      \
  KIND(FILE_WRITE, 0x09, "file.write", FILE, POST, 0, kemon_file)                                                      \
  KIND(DEVICE_OPEN, 0x20, "file.device_open", FILE, POST, 0, kemon_file)                                               \
  KIND(NET_TCP_DETACH, 0x40, "net.tcp_detach", NETWORK, POST, 0, kemon_net_detach)                                     \
  KIND(NET_UDP_DETACH, 0x41, "net.udp_detach", NETWORK, POST, 0, kemon_net_detach)                                     \
  KIND(NET_DNS_QUERY, 0x42, "net.dns_query", NETWORK, PRE, 1, kemon_dns_query)                                         \
  KIND(NET_CONNECT, 0x43, "net.connect", NETWORK, POST, 0, kemon_net_connect)                                          \
  KIND(DYLIB_MAP, 0x60, "dylib.map", DYLIB, PRE, 1, kemon_dylib_map)                                                   \
  KIND(KEXT_START_PRE, 0x61, "kext.start", KEXT, PRE, 1, kemon_kext)                                                   \
  KIND(KEXT_START, 0x62, "kext.start", KEXT, POST, 0, kemon_kext)                                                      \
  KIND(MAC_POLICY_REGISTER, 0x70, "mac.policy_register", MAC, POST, 0, kemon_mac_policy)                               \
  KIND(MAC_OP, 0x71, "mac.op", MAC, POST, 0, kemon_mac_op)                                                             \
  KIND(MAC_POLICY_LIST, 0x72, "mac.policy_list", MAC, NOTIFY, 0, kemon_mac_policy)                                     \
  KIND(MAC_POLICY_UNREGISTER, 0x73, "mac.policy_unregister", MAC, POST, 0, kemon_mac_policy)                           \
  /* what the host itself has to say */                                                                                \
  KIND(HOOK_ATTACH, 0x80, "hook.attach", SYSTEM, NOTIFY, 0, kemon_hook_attach)                                         \
  KIND(KERNEL_LOG, 0x81, "kernel.log", SYSTEM, NOTIFY, 0, kemon_kernel_log)                                            \
  /* before the fact: the original could not block these */                                                            \
  KIND(FILE_OPEN_PRE, 0x100, "file.open", FILE, PRE, 1, kemon_file)                                                    \
  KIND(FILE_CREATE_PRE, 0x101, "file.create", FILE, PRE, 1, kemon_file)                                                \
  KIND(FILE_RENAME_PRE, 0x103, "file.rename", FILE, PRE, 1, kemon_file_pair)                                           \
  KIND(FILE_EXCHANGE_PRE, 0x104, "file.exchange", FILE, PRE, 1, kemon_file_pair)                                       \
  KIND(FILE_LINK_PRE, 0x105, "file.link", FILE, PRE, 1, kemon_file_pair)                                               \
  KIND(PROCESS_EXEC_PRE, 0x106, "process.exec", PROCESS, PRE, 1, kemon_exec)                                           \
  KIND(FILE_DELETE_PRE, 0x107, "file.delete", FILE, PRE, 1, kemon_file)                                                \
  KIND(FILE_WRITE_PRE, 0x109, "file.write", FILE, PRE, 1, kemon_file)                                                  \
  KIND(DEVICE_OPEN_PRE, 0x120, "file.device_open", FILE, PRE, 1, kemon_file)                                           \
  KIND(NET_CONNECT_PRE, 0x143, "net.connect", NETWORK, PRE, 1, kemon_net_connect)                                      \
  KIND(MAC_POLICY_REGISTER_PRE, 0x170, "mac.policy_register", MAC, PRE, 1, kemon_mac_policy)                           \
  KIND(MAC_OP_PRE, 0x171, "mac.op", MAC, PRE, 1, kemon_mac_op)                                                         \
  KIND(MAC_POLICY_UNREGISTER_PRE, 0x173, "mac.policy_unregister", MAC, PRE, 1, kemon_mac_policy)                       \
  /* a name is looked up in a directory; only where a host is asked to watch that */                                   \
  KIND(FILE_LOOKUP, 0x90, "file.lookup", FILE, POST, 0, kemon_file)                                                    \
  KIND(FILE_LOOKUP_PRE, 0x190, "file.lookup", FILE, PRE, 1, kemon_file)                                                \
  /* told by a model that is asked to show its traffic */                                                              \
  KIND(NET_PACKET, 0x44, "net.packet", NETWORK, NOTIFY, 0, kemon_net_packet)                                           \
  /* the life of processes; process.exec_commit: the old image is gone, a denial kills the process */                  \
  KIND(PROCESS_FORK, 0x30, "process.fork", PROCESS, POST, 0, kemon_process)                                            \
  KIND(PROCESS_EXIT, 0x31, "process.exit", PROCESS, NOTIFY, 0, kemon_process_exit)                                     \
  KIND(PROCESS_TRACE, 0x32, "process.trace", PROCESS, POST, 0, kemon_process)                                          \
  KIND(PROCESS_EXEC_COMMIT, 0x33, "process.exec_commit", PROCESS, PRE, 1, kemon_exec)                                  \
  KIND(PROCESS_FORK_PRE, 0x130, "process.fork", PROCESS, PRE, 1, kemon_process)                                        \
  KIND(PROCESS_TRACE_PRE, 0x132, "process.trace", PROCESS, PRE, 1, kemon_process)                                      \
  /* a page of a mapped image is not what was signed: found when it is first used */                                   \
  KIND(DYLIB_INVALID, 0x63, "dylib.invalid", DYLIB, NOTIFY, 0, kemon_dylib_invalid)                                    \
  /* a kext's stop routine, which the original did not watch */                                                        \
  KIND(KEXT_STOP, 0x64, "kext.stop", KEXT, POST, 0, kemon_kext)                                                        \
  KIND(KEXT_STOP_PRE, 0x164, "kext.stop", KEXT, PRE, 1, kemon_kext)

/* No kind has this number or a higher one. */
#define KEMON_KIND_LIMIT 0x200

/* Kinds that plugins declare (schema.h) have numbers from here to the limit, other ones in every run. */
#define KEMON_KIND_DECLARED 0x1C0

/* Fields that a handler may change before the operation (modify.h), one row each: FIELD(KIND constant, payload, field) */
#define KEMON_MODIFIABLE_TABLE(FIELD)                                                                                  \
  FIELD(FILE_OPEN_PRE, kemon_file, flags)                                                                              \
  FIELD(FILE_CREATE_PRE, kemon_file, flags)                                                                            \
  FIELD(FILE_CREATE_PRE, kemon_file, mode)                                                                             \
  FIELD(FILE_WRITE_PRE, kemon_file, flags)                                                                             \
  FIELD(NET_CONNECT_PRE, kemon_net_connect, destination_port)

/* One row each: FAMILY(constant, number, "name") */
#define KEMON_FAMILY_TABLE(FAMILY)                                                                                     \
  FAMILY(FILE, 0, "file")                                                                                              \
  FAMILY(PROCESS, 1, "process")                                                                                        \
  FAMILY(NETWORK, 2, "network")                                                                                        \
  FAMILY(DYLIB, 3, "dylib")                                                                                            \
  FAMILY(KEXT, 4, "kext")                                                                                              \
  FAMILY(MAC, 5, "mac")                                                                                                \
  FAMILY(SYSTEM, 6, "system")                                                                                          \
  FAMILY(PLUGIN, 7, "plugin")
#endif
