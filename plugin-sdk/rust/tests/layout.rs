// SPDX-License-Identifier: Apache-2.0

//! Sizes and offsets are those that the C headers pin in `src/layout.c` of the SDK.

use ::kemon_plugin::payloads::*;
use ::kemon_plugin::sys::*;
use std::collections::BTreeMap;
use std::mem::{size_of, MaybeUninit};

macro_rules! layouts {
    ($($name:ident { $($field:ident),* $(,)? })*) => {{
        let mut layouts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        $(
            let place = MaybeUninit::<$name>::uninit();
            let base = place.as_ptr();
            let layout = layouts.entry(stringify!($name).to_string()).or_default();
            layout.insert(String::new(), size_of::<$name>());
            $(
                // Only the address is taken.
                let field = unsafe { std::ptr::addr_of!((*base).$field) } as usize;
                layout.insert(stringify!($field).replace("r#", ""), field - base as usize);
            )*
        )*
        layouts
    }};
}

fn layouts() -> BTreeMap<String, BTreeMap<String, usize>> {
    layouts! {
        kemon_str { off, len }
        kemon_error { size, code, line, column, text }
        kemon_subject { start_ns, pid, tid, ppid, uid, gid, flags, exe, comm, parent }
        kemon_event {
            size, header_size, kind, phase, flags, schema, payload_off, payload_size, seq, corr,
            time_ns, deadline_ns, subject, result, decided_by, votes_off, votes_count, verdict,
        }
        kemon_verdict { size, action, flags, err, reason_code, allow_mask, result, reason }
        kemon_handler {
            size, flags, name, kind, filter, r#fn, ctx, phase, on_fault, priority, cache_fields,
            reserved, cache_ttl_ns, timeout_ns, on_timeout, reserved2, signature, typed,
        }
        kemon_host { size, abi, mode, plugin_id, name, version, r#priv, ext, log, on, off, now }
        kemon_ext_output { size, reserved, write }
        kemon_ext_config { size, reserved, count, string, integer, boolean }
        kemon_create {
            size, config_len, config_json, data_dir, state, state_len, state_version, reserved,
        }
        kemon_sink { size, reserved, r#priv, write }
        kemon_plugin {
            size, abi, create, start, stop, destroy, concurrency, flags, reconfigure, save, explain, ext,
        }
        kemon_hello { size, abi_min, abi_max, mode, host_name, host_version, why }
        kemon_file { dev, ino, flags, mode, path }
        kemon_file_close { dev, ino, modified, reserved, path }
        kemon_file_pair { dev, ino, path, to }
        kemon_exec { dev, ino, argc, envc, path, cwd, argv }
        kemon_net_connect {
            source, destination, source_port, destination_port, address_family, protocol,
        }
        kemon_net_detach {
            start_ns, stop_ns, source, destination, source_ether, destination_ether, source_port,
            destination_port, address_family, protocol, in_bytes, out_bytes, in_packets,
            out_packets, first_in, first_out,
        }
        kemon_dns_query {
            source, destination, source_port, destination_port, query_type, query_class, name, packet,
        }
        kemon_process { target_start_ns, target_pid, method, target_comm, target_exe }
        kemon_process_exit { status, signal, reason_namespace, reason }
        kemon_dylib_invalid { dev, ino, offset, action, reserved, path }
        kemon_dylib_map { dev, ino, protection, flags, path }
        kemon_kext { base, module_size, status, reserved, name, version, path }
        kemon_mac_policy {
            conf, ops, ops_version, loadtime_flags, status, reserved, name, full_name, index,
            handler_count, handlers, handler_names, handler_modules,
        }
        kemon_mac_op {
            op, argc, policy, op_name, arguments, value, argument_names, argument_types,
        }
        kemon_hook_attach { address, function, subject, listing }
        kemon_kernel_log { level, reserved, source, text }
        kemon_net_packet {
            source, destination, source_ether, destination_ether, source_port, destination_port,
            address_family, protocol, address, direction, reserved, data,
        }
    }
}

#[test]
fn every_size_and_offset_is_that_of_c() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/layout.c");
    let text = std::fs::read_to_string(path).expect("the SDK's src/layout.c");
    let ours = layouts();
    let mut pinned = 0;
    for line in text.lines() {
        let parts: Vec<&str> = line.split(|c| "(), ;".contains(c)).filter(|part| !part.is_empty()).collect();
        let (name, field, number) = match parts[..] {
            ["SIZE", name, number] => (name, "", number),
            ["OFFSET", name, field, number] => (name, field, number),
            _ => continue,
        };
        let (layout, number) = match (ours.get(name), number.parse::<usize>()) {
            (Some(layout), Ok(number)) => (layout, number),
            _ => continue,
        };
        assert_eq!(layout.get(field), Some(&number), "{}.{}", name, field);
        pinned += 1;
    }
    assert_eq!(pinned, ours.values().map(BTreeMap::len).sum::<usize>());
}

#[test]
fn every_payload_of_the_headers_is_here() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../include/kemon/payloads.h");
    let text = std::fs::read_to_string(path).expect("the SDK's headers");
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("PAYLOAD(")?.split(')').next())
        .collect();
    assert!(names.len() >= 14);
    for name in names {
        assert!(layouts().contains_key(name), "{}", name);
    }
}
