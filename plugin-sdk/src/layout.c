/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of the ABI, pinned. A change that makes one of these lines fail breaks plugins that exist: append a field
 * instead, and add its line here.
 */
#define _GNU_SOURCE
#include <kemon/kemon.h>
#include <kemon/original.h>
#include <kemon/ring.h>
#include <kemon/worker.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define OFFSET(type, field, bytes) _Static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)

#if UINTPTR_MAX == UINT64_MAX

SIZE(kemon_error, 256);
OFFSET(kemon_error, size, 0);
OFFSET(kemon_error, code, 4);
OFFSET(kemon_error, line, 8);
OFFSET(kemon_error, column, 12);
OFFSET(kemon_error, text, 16);

SIZE(kemon_str, 8);
OFFSET(kemon_str, off, 0);
OFFSET(kemon_str, len, 4);

SIZE(kemon_subject, 56);
OFFSET(kemon_subject, start_ns, 0);
OFFSET(kemon_subject, pid, 8);
OFFSET(kemon_subject, tid, 12);
OFFSET(kemon_subject, ppid, 16);
OFFSET(kemon_subject, uid, 20);
OFFSET(kemon_subject, gid, 24);
OFFSET(kemon_subject, flags, 28);
OFFSET(kemon_subject, exe, 32);
OFFSET(kemon_subject, comm, 40);
OFFSET(kemon_subject, parent, 48);

SIZE(kemon_vote, 32);
OFFSET(kemon_vote, plugin_id, 0);
OFFSET(kemon_vote, handler_id, 4);
OFFSET(kemon_vote, action, 8);
OFFSET(kemon_vote, tier, 10);
OFFSET(kemon_vote, err, 12);
OFFSET(kemon_vote, reason_code, 16);
OFFSET(kemon_vote, latency_ns, 20);
OFFSET(kemon_vote, reason, 24);

SIZE(kemon_event, 128);
OFFSET(kemon_event, size, 0);
OFFSET(kemon_event, header_size, 4);
OFFSET(kemon_event, kind, 6);
OFFSET(kemon_event, phase, 8);
OFFSET(kemon_event, flags, 10);
OFFSET(kemon_event, schema, 12);
OFFSET(kemon_event, payload_off, 16);
OFFSET(kemon_event, payload_size, 20);
OFFSET(kemon_event, seq, 24);
OFFSET(kemon_event, corr, 32);
OFFSET(kemon_event, time_ns, 40);
OFFSET(kemon_event, deadline_ns, 48);
OFFSET(kemon_event, subject, 56);
OFFSET(kemon_event, result, 112);
OFFSET(kemon_event, decided_by, 116);
OFFSET(kemon_event, votes_off, 120);
OFFSET(kemon_event, votes_count, 124);
OFFSET(kemon_event, verdict, 126);

SIZE(kemon_kind_info, 32);
OFFSET(kemon_kind_info, kind, 0);
OFFSET(kemon_kind_info, phase, 2);
OFFSET(kemon_kind_info, family, 3);
OFFSET(kemon_kind_info, can_deny, 4);
OFFSET(kemon_kind_info, reserved, 5);
OFFSET(kemon_kind_info, payload_size, 8);
OFFSET(kemon_kind_info, payload, 12);
OFFSET(kemon_kind_info, name, 16);
OFFSET(kemon_kind_info, constant, 24);

SIZE(kemon_field_info, 32);
OFFSET(kemon_field_info, name, 0);
OFFSET(kemon_field_info, type, 8);
OFFSET(kemon_field_info, doc, 16);
OFFSET(kemon_field_info, offset, 24);
OFFSET(kemon_field_info, width, 28);

SIZE(kemon_verdict, 128);
OFFSET(kemon_verdict, size, 0);
OFFSET(kemon_verdict, action, 4);
OFFSET(kemon_verdict, flags, 6);
OFFSET(kemon_verdict, err, 8);
OFFSET(kemon_verdict, reason_code, 12);
OFFSET(kemon_verdict, allow_mask, 16);
OFFSET(kemon_verdict, result, 24);
OFFSET(kemon_verdict, reason, 32);

SIZE(kemon_handler, 104);
OFFSET(kemon_handler, size, 0);
OFFSET(kemon_handler, flags, 4);
OFFSET(kemon_handler, name, 8);
OFFSET(kemon_handler, kind, 16);
OFFSET(kemon_handler, filter, 24);
OFFSET(kemon_handler, fn, 32);
OFFSET(kemon_handler, ctx, 40);
OFFSET(kemon_handler, phase, 48);
OFFSET(kemon_handler, on_fault, 50);
OFFSET(kemon_handler, priority, 52);
OFFSET(kemon_handler, cache_fields, 56);
OFFSET(kemon_handler, reserved, 60);
OFFSET(kemon_handler, cache_ttl_ns, 64);
OFFSET(kemon_handler, timeout_ns, 72);
OFFSET(kemon_handler, on_timeout, 80);
OFFSET(kemon_handler, reserved2, 82);
OFFSET(kemon_handler, signature, 88);
OFFSET(kemon_handler, typed, 96);

SIZE(kemon_ext_output, 16);
OFFSET(kemon_ext_output, size, 0);
OFFSET(kemon_ext_output, reserved, 4);
OFFSET(kemon_ext_output, write, 8);

SIZE(kemon_ext_config, 40);
OFFSET(kemon_ext_config, size, 0);
OFFSET(kemon_ext_config, reserved, 4);
OFFSET(kemon_ext_config, count, 8);
OFFSET(kemon_ext_config, string, 16);
OFFSET(kemon_ext_config, integer, 24);
OFFSET(kemon_ext_config, boolean, 32);

SIZE(kemon_ext_names, 24);
OFFSET(kemon_ext_names, size, 0);
OFFSET(kemon_ext_names, reserved, 4);
OFFSET(kemon_ext_names, plugin, 8);
OFFSET(kemon_ext_names, handler, 16);

SIZE(kemon_field, 24);
OFFSET(kemon_field, size, 0);
OFFSET(kemon_field, kind, 4);
OFFSET(kemon_field, type, 6);
OFFSET(kemon_field, offset, 8);
OFFSET(kemon_field, width, 12);
OFFSET(kemon_field, index, 16);
OFFSET(kemon_field, flags, 20);

SIZE(kemon_value, 24);
OFFSET(kemon_value, number, 0);
OFFSET(kemon_value, bytes, 8);
OFFSET(kemon_value, len, 16);

SIZE(kemon_ext_schema, 64);
OFFSET(kemon_ext_schema, size, 0);
OFFSET(kemon_ext_schema, reserved, 4);
OFFSET(kemon_ext_schema, kind, 8);
OFFSET(kemon_ext_schema, info, 16);
OFFSET(kemon_ext_schema, fields, 24);
OFFSET(kemon_ext_schema, field, 32);
OFFSET(kemon_ext_schema, json, 40);
OFFSET(kemon_ext_schema, declare, 48);
OFFSET(kemon_ext_schema, emit, 56);

SIZE(kemon_cell, 64);
OFFSET(kemon_cell, value, 0);
OFFSET(kemon_cell, reserved, 8);

SIZE(kemon_ext_metrics, 40);
OFFSET(kemon_ext_metrics, size, 0);
OFFSET(kemon_ext_metrics, reserved, 4);
OFFSET(kemon_ext_metrics, counter, 8);
OFFSET(kemon_ext_metrics, histogram, 16);
OFFSET(kemon_ext_metrics, record, 24);
OFFSET(kemon_ext_metrics, lane, 32);

SIZE(kemon_ext_timer, 24);
OFFSET(kemon_ext_timer, size, 0);
OFFSET(kemon_ext_timer, reserved, 4);
OFFSET(kemon_ext_timer, arm, 8);
OFFSET(kemon_ext_timer, cancel, 16);

SIZE(kemon_ext_defer, 40);
OFFSET(kemon_ext_defer, size, 0);
OFFSET(kemon_ext_defer, reserved, 4);
OFFSET(kemon_ext_defer, open, 8);
OFFSET(kemon_ext_defer, resolve, 16);
OFFSET(kemon_ext_defer, retain, 24);
OFFSET(kemon_ext_defer, release, 32);

SIZE(kemon_ext_modify, 16);
OFFSET(kemon_ext_modify, size, 0);
OFFSET(kemon_ext_modify, reserved, 4);
OFFSET(kemon_ext_modify, set_u64, 8);

SIZE(kemon_ext_mute, 40);
OFFSET(kemon_ext_mute, size, 0);
OFFSET(kemon_ext_mute, reserved, 4);
OFFSET(kemon_ext_mute, subject, 8);
OFFSET(kemon_ext_mute, path, 16);
OFFSET(kemon_ext_mute, clear, 24);
OFFSET(kemon_ext_mute, invalidate, 32);

SIZE(kemon_ext_blob, 24);
OFFSET(kemon_ext_blob, size, 0);
OFFSET(kemon_ext_blob, reserved, 4);
OFFSET(kemon_ext_blob, reserve, 8);
OFFSET(kemon_ext_blob, get, 16);

SIZE(kemon_span, 16);
OFFSET(kemon_span, data, 0);
OFFSET(kemon_span, size, 8);

SIZE(kemon_ext_typed, 40);
OFFSET(kemon_ext_typed, size, 0);
OFFSET(kemon_ext_typed, reserved, 4);
OFFSET(kemon_ext_typed, describe, 8);
OFFSET(kemon_ext_typed, provide, 16);
OFFSET(kemon_ext_typed, find, 24);
OFFSET(kemon_ext_typed, call, 32);

SIZE(kemon_ext_thread, 24);
OFFSET(kemon_ext_thread, size, 0);
OFFSET(kemon_ext_thread, reserved, 4);
OFFSET(kemon_ext_thread, role, 8);
OFFSET(kemon_ext_thread, budget_left_ns, 16);

SIZE(kemon_host, 80);
OFFSET(kemon_host, size, 0);
OFFSET(kemon_host, abi, 4);
OFFSET(kemon_host, mode, 8);
OFFSET(kemon_host, plugin_id, 12);
OFFSET(kemon_host, name, 16);
OFFSET(kemon_host, version, 24);
OFFSET(kemon_host, priv, 32);
OFFSET(kemon_host, ext, 40);
OFFSET(kemon_host, log, 48);
OFFSET(kemon_host, on, 56);
OFFSET(kemon_host, off, 64);
OFFSET(kemon_host, now, 72);

SIZE(kemon_create, 48);
OFFSET(kemon_create, size, 0);
OFFSET(kemon_create, config_len, 4);
OFFSET(kemon_create, config_json, 8);
OFFSET(kemon_create, data_dir, 16);
OFFSET(kemon_create, state, 24);
OFFSET(kemon_create, state_len, 32);
OFFSET(kemon_create, state_version, 40);
OFFSET(kemon_create, reserved, 44);

SIZE(kemon_sink, 24);
OFFSET(kemon_sink, size, 0);
OFFSET(kemon_sink, reserved, 4);
OFFSET(kemon_sink, priv, 8);
OFFSET(kemon_sink, write, 16);

SIZE(kemon_plugin, 80);
OFFSET(kemon_plugin, size, 0);
OFFSET(kemon_plugin, abi, 4);
OFFSET(kemon_plugin, create, 8);
OFFSET(kemon_plugin, start, 16);
OFFSET(kemon_plugin, stop, 24);
OFFSET(kemon_plugin, destroy, 32);
OFFSET(kemon_plugin, concurrency, 40);
OFFSET(kemon_plugin, flags, 44);
OFFSET(kemon_plugin, reconfigure, 48);
OFFSET(kemon_plugin, save, 56);
OFFSET(kemon_plugin, explain, 64);
OFFSET(kemon_plugin, ext, 72);

SIZE(kemon_hello, 160);
OFFSET(kemon_hello, size, 0);
OFFSET(kemon_hello, abi_min, 4);
OFFSET(kemon_hello, abi_max, 8);
OFFSET(kemon_hello, mode, 12);
OFFSET(kemon_hello, host_name, 16);
OFFSET(kemon_hello, host_version, 24);
OFFSET(kemon_hello, why, 32);

SIZE(kemon_file, 32);
OFFSET(kemon_file, dev, 0);
OFFSET(kemon_file, ino, 8);
OFFSET(kemon_file, flags, 16);
OFFSET(kemon_file, mode, 20);
OFFSET(kemon_file, path, 24);

SIZE(kemon_file_close, 32);
OFFSET(kemon_file_close, dev, 0);
OFFSET(kemon_file_close, ino, 8);
OFFSET(kemon_file_close, modified, 16);
OFFSET(kemon_file_close, reserved, 20);
OFFSET(kemon_file_close, path, 24);

SIZE(kemon_file_pair, 32);
OFFSET(kemon_file_pair, dev, 0);
OFFSET(kemon_file_pair, ino, 8);
OFFSET(kemon_file_pair, path, 16);
OFFSET(kemon_file_pair, to, 24);

SIZE(kemon_exec, 48);
OFFSET(kemon_exec, dev, 0);
OFFSET(kemon_exec, ino, 8);
OFFSET(kemon_exec, argc, 16);
OFFSET(kemon_exec, envc, 20);
OFFSET(kemon_exec, path, 24);
OFFSET(kemon_exec, cwd, 32);
OFFSET(kemon_exec, argv, 40);

SIZE(kemon_net_connect, 24);
OFFSET(kemon_net_connect, source, 0);
OFFSET(kemon_net_connect, destination, 8);
OFFSET(kemon_net_connect, source_port, 16);
OFFSET(kemon_net_connect, destination_port, 18);
OFFSET(kemon_net_connect, address_family, 20);
OFFSET(kemon_net_connect, protocol, 22);

SIZE(kemon_process, 32);
OFFSET(kemon_process, target_start_ns, 0);
OFFSET(kemon_process, target_pid, 8);
OFFSET(kemon_process, method, 12);
OFFSET(kemon_process, target_comm, 16);
OFFSET(kemon_process, target_exe, 24);

SIZE(kemon_process_exit, 16);
OFFSET(kemon_process_exit, status, 0);
OFFSET(kemon_process_exit, signal, 4);
OFFSET(kemon_process_exit, reason_namespace, 8);
OFFSET(kemon_process_exit, reason, 12);

SIZE(kemon_dylib_invalid, 40);
OFFSET(kemon_dylib_invalid, dev, 0);
OFFSET(kemon_dylib_invalid, ino, 8);
OFFSET(kemon_dylib_invalid, offset, 16);
OFFSET(kemon_dylib_invalid, action, 24);
OFFSET(kemon_dylib_invalid, reserved, 28);
OFFSET(kemon_dylib_invalid, path, 32);

SIZE(kemon_net_packet, 64);
OFFSET(kemon_net_packet, source, 0);
OFFSET(kemon_net_packet, destination, 8);
OFFSET(kemon_net_packet, source_ether, 16);
OFFSET(kemon_net_packet, destination_ether, 24);
OFFSET(kemon_net_packet, source_port, 32);
OFFSET(kemon_net_packet, destination_port, 34);
OFFSET(kemon_net_packet, address_family, 36);
OFFSET(kemon_net_packet, protocol, 38);
OFFSET(kemon_net_packet, address, 40);
OFFSET(kemon_net_packet, direction, 48);
OFFSET(kemon_net_packet, reserved, 52);
OFFSET(kemon_net_packet, data, 56);

SIZE(kemon_net_detach, 96);
OFFSET(kemon_net_detach, start_ns, 0);
OFFSET(kemon_net_detach, stop_ns, 8);
OFFSET(kemon_net_detach, source, 16);
OFFSET(kemon_net_detach, destination, 24);
OFFSET(kemon_net_detach, source_ether, 32);
OFFSET(kemon_net_detach, destination_ether, 40);
OFFSET(kemon_net_detach, source_port, 48);
OFFSET(kemon_net_detach, destination_port, 50);
OFFSET(kemon_net_detach, address_family, 52);
OFFSET(kemon_net_detach, protocol, 54);
OFFSET(kemon_net_detach, in_bytes, 56);
OFFSET(kemon_net_detach, out_bytes, 64);
OFFSET(kemon_net_detach, in_packets, 72);
OFFSET(kemon_net_detach, out_packets, 76);
OFFSET(kemon_net_detach, first_in, 80);
OFFSET(kemon_net_detach, first_out, 88);

SIZE(kemon_dns_query, 40);
OFFSET(kemon_dns_query, source, 0);
OFFSET(kemon_dns_query, destination, 8);
OFFSET(kemon_dns_query, source_port, 16);
OFFSET(kemon_dns_query, destination_port, 18);
OFFSET(kemon_dns_query, query_type, 20);
OFFSET(kemon_dns_query, query_class, 22);
OFFSET(kemon_dns_query, name, 24);
OFFSET(kemon_dns_query, packet, 32);

SIZE(kemon_dylib_map, 32);
OFFSET(kemon_dylib_map, dev, 0);
OFFSET(kemon_dylib_map, ino, 8);
OFFSET(kemon_dylib_map, protection, 16);
OFFSET(kemon_dylib_map, flags, 20);
OFFSET(kemon_dylib_map, path, 24);

SIZE(kemon_kext, 48);
OFFSET(kemon_kext, base, 0);
OFFSET(kemon_kext, module_size, 8);
OFFSET(kemon_kext, status, 16);
OFFSET(kemon_kext, reserved, 20);
OFFSET(kemon_kext, name, 24);
OFFSET(kemon_kext, version, 32);
OFFSET(kemon_kext, path, 40);

SIZE(kemon_mac_policy, 80);
OFFSET(kemon_mac_policy, conf, 0);
OFFSET(kemon_mac_policy, ops, 8);
OFFSET(kemon_mac_policy, ops_version, 16);
OFFSET(kemon_mac_policy, loadtime_flags, 20);
OFFSET(kemon_mac_policy, status, 24);
OFFSET(kemon_mac_policy, reserved, 28);
OFFSET(kemon_mac_policy, name, 32);
OFFSET(kemon_mac_policy, full_name, 40);
OFFSET(kemon_mac_policy, index, 48);
OFFSET(kemon_mac_policy, handler_count, 52);
OFFSET(kemon_mac_policy, handlers, 56);
OFFSET(kemon_mac_policy, handler_names, 64);
OFFSET(kemon_mac_policy, handler_modules, 72);

SIZE(kemon_mac_op, 56);
OFFSET(kemon_mac_op, op, 0);
OFFSET(kemon_mac_op, argc, 4);
OFFSET(kemon_mac_op, policy, 8);
OFFSET(kemon_mac_op, op_name, 16);
OFFSET(kemon_mac_op, arguments, 24);
OFFSET(kemon_mac_op, value, 32);
OFFSET(kemon_mac_op, argument_names, 40);
OFFSET(kemon_mac_op, argument_types, 48);

SIZE(kemon_hook_attach, 32);
OFFSET(kemon_hook_attach, address, 0);
OFFSET(kemon_hook_attach, function, 8);
OFFSET(kemon_hook_attach, subject, 16);
OFFSET(kemon_hook_attach, listing, 24);

SIZE(kemon_kernel_log, 24);
OFFSET(kemon_kernel_log, level, 0);
OFFSET(kemon_kernel_log, reserved, 4);
OFFSET(kemon_kernel_log, source, 8);
OFFSET(kemon_kernel_log, text, 16);

SIZE(kemon_ring_header, 64);
OFFSET(kemon_ring_header, magic, 0);
OFFSET(kemon_ring_header, version, 8);
OFFSET(kemon_ring_header, flags, 12);
OFFSET(kemon_ring_header, slots, 16);
OFFSET(kemon_ring_header, slot_bytes, 24);
OFFSET(kemon_ring_header, block_bytes, 32);
OFFSET(kemon_ring_header, record_limit, 40);
OFFSET(kemon_ring_header, size, 48);
OFFSET(kemon_ring_header, creator, 56);
OFFSET(kemon_ring_header, reserved, 60);

SIZE(kemon_ring_record, 24);
OFFSET(kemon_ring_record, sequence, 0);
OFFSET(kemon_ring_record, bytes, 8);
OFFSET(kemon_ring_record, size, 16);

/* No payload has silent padding: its fields fill it. */
#define PLUS_WIDTH(type, name, doc) +sizeof(KEMON_TYPE_##type)
#define FILLED(payload) _Static_assert(0 payload##_FIELDS(PLUS_WIDTH) == sizeof(payload), "padding in " #payload);
KEMON_PAYLOAD_TABLE(FILLED)

#else
#error "Kemon's ABI is defined for 64-bit processors"
/* The original's messages, as macOS lays them out. */
SIZE(kemon_original_time, 16);
SIZE(kemon_original_header, 2088);
OFFSET(kemon_original_header, type, 0);
OFFSET(kemon_original_header, pid, 4);
OFFSET(kemon_original_header, ppid, 8);
OFFSET(kemon_original_header, uid, 12);
OFFSET(kemon_original_header, gid, 16);
OFFSET(kemon_original_header, event_time, 24);
OFFSET(kemon_original_header, proc_name_pid, 40);
OFFSET(kemon_original_header, proc_name_ppid, 1064);
SIZE(kemon_original_file, 4136);
OFFSET(kemon_original_file, path, 2088);
OFFSET(kemon_original_file, body, 3112);
SIZE(kemon_original_tcp, 2672);
OFFSET(kemon_original_tcp, start_time, 2088);
OFFSET(kemon_original_tcp, stop_time, 2104);
OFFSET(kemon_original_tcp, source_address, 2120);
OFFSET(kemon_original_tcp, destination_address, 2376);
OFFSET(kemon_original_tcp, source_ether, 2632);
OFFSET(kemon_original_tcp, destination_ether, 2638);
OFFSET(kemon_original_tcp, source_port, 2644);
OFFSET(kemon_original_tcp, destination_port, 2646);
OFFSET(kemon_original_tcp, in_bytes, 2648);
OFFSET(kemon_original_tcp, in_packets, 2652);
OFFSET(kemon_original_tcp, out_bytes, 2656);
OFFSET(kemon_original_tcp, out_packets, 2660);
OFFSET(kemon_original_tcp, first_in_bytes, 2664);
OFFSET(kemon_original_tcp, first_out_bytes, 2668);
SIZE(kemon_original_udp, 2648);
OFFSET(kemon_original_udp, destination_port, 2646);
SIZE(kemon_original_dns, 2616);
OFFSET(kemon_original_dns, source_address, 2088);
OFFSET(kemon_original_dns, destination_address, 2344);
OFFSET(kemon_original_dns, source_port, 2600);
OFFSET(kemon_original_dns, destination_port, 2602);
OFFSET(kemon_original_dns, dns_question_length, 2608);
SIZE(kemon_original_library, 3112);
OFFSET(kemon_original_library, library_path, 2088);
SIZE(kemon_original_kext, 5184);
OFFSET(kemon_original_kext, return_value, 2088);
OFFSET(kemon_original_kext, module_base, 2096);
OFFSET(kemon_original_kext, module_size, 2104);
OFFSET(kemon_original_kext, module_name, 2112);
OFFSET(kemon_original_kext, module_path, 3136);
OFFSET(kemon_original_kext, module_version, 4160);
SIZE(kemon_original_lost, 2096);
OFFSET(kemon_original_lost, count, 2088);

SIZE(kemon_worker_frame, 8);
OFFSET(kemon_worker_frame, length, 0);
OFFSET(kemon_worker_frame, type, 4);
SIZE(kemon_worker_request, 16);
OFFSET(kemon_worker_request, size, 0);
OFFSET(kemon_worker_request, handler, 4);
OFFSET(kemon_worker_request, number, 8);
SIZE(kemon_worker_answer, 144);
OFFSET(kemon_worker_answer, number, 0);
OFFSET(kemon_worker_answer, value, 8);
OFFSET(kemon_worker_answer, reserved, 12);
OFFSET(kemon_worker_answer, verdict, 16);
SIZE(kemon_worker_page, 40);
OFFSET(kemon_worker_page, size, 0);
OFFSET(kemon_worker_page, version, 4);
OFFSET(kemon_worker_page, time_ns, 8);
OFFSET(kemon_worker_page, name_bytes, 16);
OFFSET(kemon_worker_page, reserved, 20);
OFFSET(kemon_worker_page, plugins_off, 24);
OFFSET(kemon_worker_page, plugins_count, 28);
OFFSET(kemon_worker_page, handlers_off, 32);
OFFSET(kemon_worker_page, handlers_count, 36);

#endif
