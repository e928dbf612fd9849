// SPDX-License-Identifier: Apache-2.0

//! The C ABI as it is: `kemon/*.h` in Rust. `tests/layout.rs` compares every size and offset with the C headers'.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_void};

pub type kemon_status = i32;
pub const KEMON_OK: kemon_status = 0;
pub const KEMON_E_INVALID: kemon_status = -1;
pub const KEMON_E_UNSUPPORTED: kemon_status = -2;
pub const KEMON_E_NOTFOUND: kemon_status = -4;
pub const KEMON_E_FULL: kemon_status = -6;
pub const KEMON_E_FAILED: kemon_status = -7;

pub const KEMON_ABI_MAJOR: u32 = 1;
pub const KEMON_ABI_MINOR: u32 = 0;
pub const KEMON_ABI: u32 = KEMON_ABI_MAJOR << 16 | KEMON_ABI_MINOR;

pub const KEMON_ABSTAIN: u16 = 0;
pub const KEMON_ALLOW: u16 = 1;
pub const KEMON_MODIFY: u16 = 2;
pub const KEMON_DENY: u16 = 4;
pub const KEMON_V_RESULT: u16 = 1;
pub const KEMON_V_CACHEABLE: u16 = 2;

pub const KEMON_CACHE_PID: u32 = 0x1;
pub const KEMON_CACHE_PPID: u32 = 0x2;
pub const KEMON_CACHE_UID: u32 = 0x4;
pub const KEMON_CACHE_GID: u32 = 0x8;
pub const KEMON_CACHE_EXE: u32 = 0x10;
pub const KEMON_CACHE_COMM: u32 = 0x20;
pub const KEMON_CACHE_PATH: u32 = 0x40;
pub const KEMON_CACHE_FILE: u32 = 0x80;
pub const KEMON_CACHE_PAYLOAD: u32 = 0x100;

pub const KEMON_H_OBSERVE: u32 = 1;
pub const KEMON_H_SHADOW: u32 = 2;

pub const KEMON_EV_TRUNCATED: u16 = 1;

#[repr(C)]
pub struct kemon_error {
    pub size: u32,
    pub code: kemon_status,
    pub line: u32,
    pub column: u32,
    pub text: [c_char; 240],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kemon_str {
    pub off: u32,
    pub len: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kemon_subject {
    pub start_ns: u64,
    pub pid: i32,
    pub tid: i32,
    pub ppid: i32,
    pub uid: u32,
    pub gid: u32,
    pub flags: u32,
    pub exe: kemon_str,
    pub comm: kemon_str,
    pub parent: kemon_str,
}

#[repr(C)]
pub struct kemon_event {
    pub size: u32,
    pub header_size: u16,
    pub kind: u16,
    pub phase: u16,
    pub flags: u16,
    pub schema: u32,
    pub payload_off: u32,
    pub payload_size: u32,
    pub seq: u64,
    pub corr: u64,
    pub time_ns: u64,
    pub deadline_ns: u64,
    pub subject: kemon_subject,
    pub result: i32,
    pub decided_by: u32,
    pub votes_off: u32,
    pub votes_count: u16,
    pub verdict: u16,
}

#[repr(C)]
pub struct kemon_verdict {
    pub size: u32,
    pub action: u16,
    pub flags: u16,
    pub err: i32,
    pub reason_code: u32,
    pub allow_mask: u64,
    pub result: i64,
    pub reason: [c_char; 96],
}

pub type kemon_handler_fn =
    unsafe extern "C" fn(*mut c_void, *const kemon_event, *mut kemon_verdict) -> kemon_status;

#[repr(C)]
pub struct kemon_handler {
    pub size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub kind: *const c_char,
    pub filter: *const c_char,
    pub r#fn: Option<kemon_handler_fn>,
    pub ctx: *mut c_void,
    pub phase: u16,
    pub on_fault: u16,
    pub priority: i32,
    pub cache_fields: u32,
    pub reserved: u32,
    pub cache_ttl_ns: u64,
    pub timeout_ns: u64,
    pub on_timeout: u16,
    pub reserved2: [u16; 3],
    pub signature: *const c_char,
    pub typed: Option<unsafe extern "C" fn()>,
}

#[repr(C)]
pub struct kemon_host {
    pub size: u32,
    pub abi: u32,
    pub mode: u32,
    pub plugin_id: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub r#priv: *mut c_void,
    pub ext: unsafe extern "C" fn(*const kemon_host, *const c_char) -> *const c_void,
    pub log: unsafe extern "C" fn(*const kemon_host, i32, *const c_char, usize),
    pub on: unsafe extern "C" fn(
        *const kemon_host,
        *const kemon_handler,
        *mut u64,
        *mut kemon_error,
    ) -> kemon_status,
    pub off: unsafe extern "C" fn(*const kemon_host, u64) -> kemon_status,
    pub now: unsafe extern "C" fn(*const kemon_host) -> u64,
}

#[repr(C)]
pub struct kemon_ext_output {
    pub size: u32,
    pub reserved: u32,
    pub write: unsafe extern "C" fn(*const kemon_host, *const c_void, usize) -> kemon_status,
}

#[repr(C)]
pub struct kemon_ext_config {
    pub size: u32,
    pub reserved: u32,
    pub count: unsafe extern "C" fn(*const kemon_host, *const c_char) -> i64,
    pub string: unsafe extern "C" fn(*const kemon_host, *const c_char) -> *const c_char,
    pub integer: unsafe extern "C" fn(*const kemon_host, *const c_char, *mut i64) -> kemon_status,
    pub boolean: unsafe extern "C" fn(*const kemon_host, *const c_char, *mut i32) -> kemon_status,
}

#[repr(C)]
pub struct kemon_create {
    pub size: u32,
    pub config_len: u32,
    pub config_json: *const c_char,
    pub data_dir: *const c_char,
    pub state: *const c_void,
    pub state_len: u64,
    pub state_version: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct kemon_sink {
    pub size: u32,
    pub reserved: u32,
    pub r#priv: *mut c_void,
    pub write: unsafe extern "C" fn(*mut kemon_sink, *const c_void, u64) -> kemon_status,
}

#[repr(C)]
pub struct kemon_plugin {
    pub size: u32,
    pub abi: u32,
    pub create: Option<
        unsafe extern "C" fn(*const kemon_host, *const kemon_create, *mut kemon_error) -> *mut c_void,
    >,
    pub start: Option<unsafe extern "C" fn(*mut c_void, *mut kemon_error) -> kemon_status>,
    pub stop: Option<unsafe extern "C" fn(*mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    pub concurrency: u32,
    pub flags: u32,
    pub reconfigure:
        Option<unsafe extern "C" fn(*mut c_void, *const c_char, u32, *mut kemon_error) -> kemon_status>,
    pub save: Option<unsafe extern "C" fn(*mut c_void, *mut kemon_sink) -> kemon_status>,
    pub explain: Option<unsafe extern "C" fn()>,
    pub ext: Option<unsafe extern "C" fn()>,
}

// Pointers to functions and texts that never change.
unsafe impl Sync for kemon_plugin {}

#[repr(C)]
pub struct kemon_hello {
    pub size: u32,
    pub abi_min: u32,
    pub abi_max: u32,
    pub mode: u32,
    pub host_name: *const c_char,
    pub host_version: *const c_char,
    pub why: [c_char; 128],
}

// What the Rust structs must be, on every target that Kemon knows.
const _: () = {
    use std::mem::size_of;
    assert!(size_of::<kemon_error>() == 256);
    assert!(size_of::<kemon_event>() == 128);
    assert!(size_of::<kemon_subject>() == 56);
    assert!(size_of::<kemon_verdict>() == 128);
    assert!(size_of::<kemon_handler>() == 104);
    assert!(size_of::<kemon_host>() == 80);
    assert!(size_of::<kemon_create>() == 48);
    assert!(size_of::<kemon_plugin>() == 80);
    assert!(size_of::<kemon_hello>() == 160);
};
