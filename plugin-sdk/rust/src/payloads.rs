// SPDX-License-Identifier: Apache-2.0

//! What an event of each kind carries: `kemon/payloads.h` in Rust, with the same names of fields.
#![allow(non_camel_case_types)]

use crate::event::Payload;
use crate::sys::kemon_str;

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Default)]
            pub struct $name {
                $(pub $field: $type,)*
            }

            // Numbers and strings only, and no padding: the sum of the fields is the size.
            unsafe impl Payload for $name {}
            const _: () = assert!(std::mem::size_of::<$name>() == 0 $(+ std::mem::size_of::<$type>())*);
        )*
    };
}

payloads! {
    /// file.open, file.create, file.write, file.delete, file.device_open, file.lookup
    kemon_file { dev: u64, ino: u64, flags: i32, mode: u32, path: kemon_str }

    /// file.close
    kemon_file_close { dev: u64, ino: u64, modified: u32, reserved: u32, path: kemon_str }

    /// file.rename, file.will_rename, file.exchange, file.link
    kemon_file_pair { dev: u64, ino: u64, path: kemon_str, to: kemon_str }

    /// process.exec, process.exec_commit
    kemon_exec {
        dev: u64, ino: u64, argc: u32, envc: u32, path: kemon_str, cwd: kemon_str, argv: kemon_str,
    }

    /// net.connect
    kemon_net_connect {
        source: kemon_str, destination: kemon_str, source_port: u16, destination_port: u16,
        address_family: u16, protocol: u16,
    }

    /// net.tcp_detach, net.udp_detach
    kemon_net_detach {
        start_ns: u64, stop_ns: u64, source: kemon_str, destination: kemon_str,
        source_ether: kemon_str, destination_ether: kemon_str, source_port: u16,
        destination_port: u16, address_family: u16, protocol: u16, in_bytes: u64, out_bytes: u64,
        in_packets: u32, out_packets: u32, first_in: kemon_str, first_out: kemon_str,
    }

    /// net.dns_query
    kemon_dns_query {
        source: kemon_str, destination: kemon_str, source_port: u16, destination_port: u16,
        query_type: u16, query_class: u16, name: kemon_str, packet: kemon_str,
    }

    /// process.fork, process.trace
    kemon_process {
        target_start_ns: u64, target_pid: i32, method: u32, target_comm: kemon_str,
        target_exe: kemon_str,
    }

    /// process.exit
    kemon_process_exit { status: i32, signal: i32, reason_namespace: u32, reason: u32 }

    /// dylib.invalid
    kemon_dylib_invalid {
        dev: u64, ino: u64, offset: u64, action: u32, reserved: u32, path: kemon_str,
    }

    /// dylib.map
    kemon_dylib_map { dev: u64, ino: u64, protection: i32, flags: i32, path: kemon_str }

    /// kext.start, kext.stop
    kemon_kext {
        base: u64, module_size: u64, status: i32, reserved: u32, name: kemon_str,
        version: kemon_str, path: kemon_str,
    }

    /// mac.policy_register, mac.policy_unregister, mac.policy_list
    kemon_mac_policy {
        conf: u64, ops: u64, ops_version: u32, loadtime_flags: u32, status: i32, reserved: u32,
        name: kemon_str, full_name: kemon_str, index: u32, handler_count: u32,
        handlers: kemon_str, handler_names: kemon_str, handler_modules: kemon_str,
    }

    /// mac.op
    kemon_mac_op {
        op: u32, argc: u32, policy: kemon_str, op_name: kemon_str, arguments: kemon_str,
        value: i64, argument_names: kemon_str, argument_types: kemon_str,
    }

    /// hook.attach
    kemon_hook_attach { address: u64, function: kemon_str, subject: kemon_str, listing: kemon_str }

    /// kernel.log
    kemon_kernel_log { level: u32, reserved: u32, source: kemon_str, text: kemon_str }

    /// net.packet
    kemon_net_packet {
        source: kemon_str, destination: kemon_str, source_ether: kemon_str,
        destination_ether: kemon_str, source_port: u16, destination_port: u16,
        address_family: u16, protocol: u16, address: u64, direction: u32, reserved: u32,
        data: kemon_str,
    }
}
