/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/payloads.h: what an event of each kind carries. A payload struct is made from its list of fields, so that the
 * struct, JSON output, `kemon-host events KIND` and the tests cannot disagree.
 *
 * A field: F(type, name, "meaning"). Types:
 *   u16 u32 u64 i32 i64   integers
 *   addr                  uint64_t, an address, shown in hexadecimal
 *   str                   kemon_str, text (UTF-8 by convention; the bytes are as they came)
 *   list                  kemon_str, several texts, each ended by a NUL
 *   bytes                 kemon_str, raw bytes
 *
 * Payloads grow at the end only; kemon_event.payload_size says how much the producer filled in.
 */
#ifndef KEMON_PAYLOADS_H
#define KEMON_PAYLOADS_H

#include "base.h"

KEMON_C_BEGIN

/* Bytes inside a record: `len` bytes at offset `off` from the start of the event, with a NUL behind them.
 * off 0 = absent. Read it with kemon_str_ptr, which checks both against the record's size. */
typedef struct kemon_str {
  uint32_t off, len;
} kemon_str;

#define KEMON_TYPE_u16 uint16_t
#define KEMON_TYPE_u32 uint32_t
#define KEMON_TYPE_u64 uint64_t
#define KEMON_TYPE_i32 int32_t
#define KEMON_TYPE_i64 int64_t
#define KEMON_TYPE_addr uint64_t
#define KEMON_TYPE_str kemon_str
#define KEMON_TYPE_list kemon_str
#define KEMON_TYPE_bytes kemon_str
#define KEMON_DECLARE_FIELD(type, name, doc) KEMON_TYPE_##type name;

/* file.open, file.create, file.write, file.delete, file.device_open */
#define kemon_file_FIELDS(F)                                                                                           \
  F(u64, dev, "device number of the file, 0 when unknown")                                                             \
  F(u64, ino, "inode number of the file, 0 when unknown")                                                              \
  F(i32, flags, "open flags as the caller gave them, numbers of the system where the event happened")                  \
  F(u32, mode, "permission bits given to a creating open")                                                             \
  F(str, path, "the file")

/* file.close */
#define kemon_file_close_FIELDS(F)                                                                                     \
  F(u64, dev, "device number of the file, 0 when unknown")                                                             \
  F(u64, ino, "inode number of the file, 0 when unknown")                                                              \
  F(u32, modified, "1 when the file was written through this descriptor, else 0")                                      \
  F(u32, reserved, "0")                                                                                                \
  F(str, path, "the file")

/* file.rename, file.will_rename, file.exchange, file.link */
#define kemon_file_pair_FIELDS(F)                                                                                      \
  F(u64, dev, "device number of the first file, 0 when unknown")                                                       \
  F(u64, ino, "inode number of the first file, 0 when unknown")                                                        \
  F(str, path, "the file that is renamed, exchanged or linked to")                                                     \
  F(str, to, "the new name, the new link, or the other file")

/* process.exec */
#define kemon_exec_FIELDS(F)                                                                                           \
  F(u64, dev, "device number of the image, 0 when unknown")                                                            \
  F(u64, ino, "inode number of the image, 0 when unknown")                                                             \
  F(u32, argc, "number of arguments")                                                                                  \
  F(u32, envc, "number of environment entries, 0 when unknown")                                                        \
  F(str, path, "the image; for a script the script, not its interpreter")                                              \
  F(str, cwd, "working directory, absent when unknown")                                                                \
  F(list, argv, "the arguments, argv[0] first")

/* net.connect */
#define kemon_net_connect_FIELDS(F)                                                                                    \
  F(str, source, "local address as text, or \"localhost\" when not bound")                                             \
  F(str, destination, "remote address as text")                                                                        \
  F(u16, source_port, "host byte order, 0 when not bound")                                                             \
  F(u16, destination_port, "host byte order")                                                                          \
  F(u16, address_family, "4 or 6")                                                                                     \
  F(u16, protocol, "IP protocol number: 6 = TCP, 17 = UDP")

/* net.tcp_detach, net.udp_detach */
#define kemon_net_detach_FIELDS(F)                                                                                     \
  F(u64, start_ns, "when the socket was attached, nanoseconds since 1970")                                             \
  F(u64, stop_ns, "when it was detached")                                                                              \
  F(str, source, "local address as text")                                                                              \
  F(str, destination, "remote address as text")                                                                        \
  F(str, source_ether, "link address of the local side, aa:bb:cc:dd:ee:ff, absent when unknown")                       \
  F(str, destination_ether, "link address of the remote side, absent when unknown")                                    \
  F(u16, source_port, "host byte order")                                                                               \
  F(u16, destination_port, "host byte order")                                                                          \
  F(u16, address_family, "4 or 6")                                                                                     \
  F(u16, protocol, "IP protocol number: 6 = TCP, 17 = UDP")                                                            \
  F(u64, in_bytes, "bytes received")                                                                                   \
  F(u64, out_bytes, "bytes sent")                                                                                      \
  F(u32, in_packets, "packets received")                                                                               \
  F(u32, out_packets, "packets sent")                                                                                  \
  F(bytes, first_in, "first packet received, absent when it was not captured")                                         \
  F(bytes, first_out, "first packet sent, absent when it was not captured")

/* net.dns_query */
#define kemon_dns_query_FIELDS(F)                                                                                      \
  F(str, source, "local address as text, or \"localhost\" when not bound")                                             \
  F(str, destination, "server address as text")                                                                        \
  F(u16, source_port, "host byte order")                                                                               \
  F(u16, destination_port, "host byte order")                                                                          \
  F(u16, query_type, "type of the first question (1 = A, 28 = AAAA)")                                                  \
  F(u16, query_class, "class of the first question (1 = IN)")                                                          \
  F(str, name, "name of the first question, labels joined by dots, without the final dot; bytes as they came")         \
  F(bytes, packet, "the DNS message as it was sent, absent when only the name was recorded")

/* dylib.map */
#define kemon_dylib_map_FIELDS(F)                                                                                      \
  F(u64, dev, "device number of the library, 0 when unknown")                                                          \
  F(u64, ino, "inode number of the library, 0 when unknown")                                                           \
  F(i32, protection, "protection asked for, PROT_*")                                                                   \
  F(i32, flags, "mapping flags, MAP_*")                                                                                \
  F(str, path, "the library")

/* kext.start, kext.stop */
#define kemon_kext_FIELDS(F)                                                                                           \
  F(addr, base, "where the kext was linked to")                                                                        \
  F(u64, module_size, "bytes of the linked kext")                                                                      \
  F(i32, status, "POST: what the start or stop routine returned; PRE: 0")                                              \
  F(u32, reserved, "0")                                                                                                \
  F(str, name, "bundle identifier")                                                                                    \
  F(str, version, "version of the bundle")                                                                             \
  F(str, path, "path of the bundle, absent in POST")

/* mac.policy_register, mac.policy_unregister, mac.policy_list */
#define kemon_mac_policy_FIELDS(F)                                                                                     \
  F(addr, conf, "address of the policy's mac_policy_conf")                                                             \
  F(addr, ops, "address of its mac_policy_ops table")                                                                  \
  F(u32, ops_version, "MAC_POLICY_OPS_VERSION of the running kernel")                                                  \
  F(u32, loadtime_flags, "MPC_LOADTIME_FLAG_* bits")                                                                   \
  F(i32, status, "POST: what the kernel returned, a Darwin errno; else 0")                                             \
  F(u32, reserved, "0")                                                                                                \
  F(str, name, "short name of the policy")                                                                             \
  F(str, full_name, "name of the policy for people")                                                                   \
  F(u32, index, "place in the kernel's list; UINT32_MAX when it has none")                                             \
  F(u32, handler_count, "how many operations the policy has a function for")                                           \
  F(bytes, handlers, "handler_count addresses of 64 bits, in the order of the table")                                  \
  F(list, handler_names, "the operations of these addresses, mpo_*")                                                   \
  F(list, handler_modules, "where these addresses are, as in com.example.driver+0x10; \"\" when that is not known")

/* mac.op */
#define kemon_mac_op_FIELDS(F)                                                                                         \
  F(u32, op, "slot of the operation in the mac_policy_ops table of the running kernel")                                \
  F(u32, argc, "number of arguments")                                                                                  \
  F(str, policy, "short name of the policy that is called")                                                            \
  F(str, op_name, "name of the operation, mpo_*")                                                                      \
  F(bytes, arguments, "argc raw 64-bit arguments in prototype order; a struct by value is one for each 8 bytes")       \
  F(i64, value, "POST: what the policy returned, a Darwin errno as a rule; PRE: 0")                                    \
  F(list, argument_names, "the name of each argument in the header of the running kernel")                             \
  F(list, argument_types, "the type of each argument in C")

/* hook.attach */
#define kemon_hook_attach_FIELDS(F)                                                                                    \
  F(addr, address, "where the hook was put")                                                                           \
  F(str, function, "the hooked function, or the function that holds the hooked call site")                             \
  F(str, subject, "what was being done when the hook was put in, e.g. the kext that was being started")                \
  F(str, listing, "the replaced instructions, one a line: (size) bytes MNEMONIC OPERANDS")

/* kernel.log */
#define kemon_kernel_log_FIELDS(F)                                                                                     \
  F(u32, level, "0 = emergency .. 7 = debug, as in syslog")                                                            \
  F(u32, reserved, "0")                                                                                                \
  F(str, source, "who says it: kernel, kextd, ...")                                                                    \
  F(str, text, "the line, without its end")

/* net.packet */
#define kemon_net_packet_FIELDS(F)                                                                                     \
  F(str, source, "local address as text, or \"localhost\" when not bound")                                             \
  F(str, destination, "remote address as text")                                                                        \
  F(str, source_ether, "link address of the local side, absent when unknown or when the packet goes out")              \
  F(str, destination_ether, "link address of the remote side, absent when unknown or when the packet goes out")        \
  F(u16, source_port, "host byte order, 0 when not bound")                                                             \
  F(u16, destination_port, "host byte order")                                                                          \
  F(u16, address_family, "4 or 6")                                                                                     \
  F(u16, protocol, "IP protocol number: 6 = TCP, 17 = UDP")                                                            \
  F(addr, address, "where the packet lies in the kernel's memory, 0 when unknown")                                     \
  F(u32, direction, "0 = received, 1 = sent")                                                                          \
  F(u32, reserved, "0")                                                                                                \
  F(bytes, data, "what it carries")

/* process.fork, process.trace: the target is the child, or who is to be traced */
#define kemon_process_FIELDS(F)                                                                                        \
  F(u64, target_start_ns, "when the target started, nanoseconds since 1970; 0 = unknown")                              \
  F(i32, target_pid, "the target; 0 in PRE of a fork, and when there is no child")                                     \
  F(u32, method, "fork: 0; trace: 1 = ptrace, 2 = task port")                                                          \
  F(str, target_comm, "short name of the target, absent in PRE of a fork")                                             \
  F(str, target_exe, "path of its image, absent when unknown")

/* process.exit: of the process that acts */
#define kemon_process_exit_FIELDS(F)                                                                                   \
  F(i32, status, "what the process said itself, 0 to 255")                                                             \
  F(i32, signal, "the signal that ended it, 0 = none")                                                                 \
  F(u32, reason_namespace, "why the kernel sent it: OS_REASON_*, 0 = it did not")                                      \
  F(u32, reason, "the code in that namespace")

/* dylib.invalid */
#define kemon_dylib_invalid_FIELDS(F)                                                                                  \
  F(u64, dev, "device number of the image, 0 when unknown")                                                            \
  F(u64, ino, "inode number of the image, 0 when unknown")                                                             \
  F(u64, offset, "where the page begins in the file")                                                                  \
  F(u32, action, "0 = the page is used all the same, 1 = it is refused, 2 = the process is killed")                    \
  F(u32, reserved, "0")                                                                                                \
  F(str, path, "the image")

/* One row per payload struct, in the order of their introduction: PAYLOAD(struct) */
#define KEMON_PAYLOAD_TABLE(PAYLOAD)                                                                                   \
  PAYLOAD(kemon_file)                                                                                                  \
  PAYLOAD(kemon_file_close)                                                                                            \
  PAYLOAD(kemon_file_pair)                                                                                             \
  PAYLOAD(kemon_exec)                                                                                                  \
  PAYLOAD(kemon_net_connect)                                                                                           \
  PAYLOAD(kemon_net_detach)                                                                                            \
  PAYLOAD(kemon_dns_query)                                                                                             \
  PAYLOAD(kemon_dylib_map)                                                                                             \
  PAYLOAD(kemon_kext)                                                                                                  \
  PAYLOAD(kemon_mac_policy)                                                                                            \
  PAYLOAD(kemon_mac_op)                                                                                                \
  PAYLOAD(kemon_hook_attach)                                                                                           \
  PAYLOAD(kemon_kernel_log)                                                                                            \
  PAYLOAD(kemon_net_packet)                                                                                            \
  PAYLOAD(kemon_process)                                                                                               \
  PAYLOAD(kemon_process_exit)                                                                                          \
  PAYLOAD(kemon_dylib_invalid)

#define KEMON_DECLARE_PAYLOAD(name)                                                                                    \
  typedef struct name {                                                                                                \
    name##_FIELDS(KEMON_DECLARE_FIELD)                                                                                 \
  } name;
KEMON_PAYLOAD_TABLE(KEMON_DECLARE_PAYLOAD)
#undef KEMON_DECLARE_PAYLOAD

KEMON_C_END
#endif
