// SPDX-License-Identifier: Apache-2.0

//! A plugin as a host sees it: its table, and what its handlers say of themselves.

use ::kemon_plugin::sys::*;
use ::kemon_plugin::{EntryPoints, Errno, Fault, Handler, Host, Phase, Plugin, Vote};
use std::ffi::c_void;
use std::mem::{size_of, zeroed};
use std::os::raw::c_char;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Mutex;
use std::time::Duration;

struct Whole {
    saved: Vec<u8>,
    configurations: AtomicU8,
}

impl Plugin for Whole {
    const RECONFIGURES: bool = true;
    const SAVES: bool = true;

    fn new(host: &Host) -> Result<(Self, Vec<Handler>), String> {
        Self::with_state(host, None)
    }

    fn with_state(_: &Host, state: Option<&[u8]>) -> Result<(Self, Vec<Handler>), String> {
        let open = Handler::on("file.open", Phase::Pre, |_| Ok(Vote::deny(Errno::EACCES, "no").cacheable()));
        let open = open.timeout(Duration::from_millis(5), Fault::Deny);
        let open = open.cache(KEMON_CACHE_PATH | KEMON_CACHE_UID, Some(Duration::from_secs(2)));
        let saved = state.unwrap_or(b"new").to_vec();
        Ok((Whole { saved, configurations: AtomicU8::new(0) }, vec![open]))
    }

    fn reconfigure(&self, _: &Host) -> Result<(), String> {
        match self.configurations.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err("not this one".into()),
            _ => panic!("nor that"),
        }
    }

    fn save(&self) -> Result<Vec<u8>, String> {
        if self.saved == b"full" {
            return Err("full".into());
        }
        Ok([self.saved.as_slice(), b"+"].concat())
    }
}

struct Bare;

impl Plugin for Bare {
    fn new(_: &Host) -> Result<(Self, Vec<Handler>), String> {
        Ok((Bare, vec![]))
    }
}

/// Timeout, its outcome, what is cached and for how long; and what the handler answered.
type Seen = (u64, u16, u32, u64, u16, u16);
static SEEN: Mutex<Vec<Seen>> = Mutex::new(vec![]);

unsafe extern "C" fn ext(_: *const kemon_host, _: *const c_char) -> *const c_void {
    ptr::null()
}
unsafe extern "C" fn log(_: *const kemon_host, _: i32, _: *const c_char, _: usize) {}
unsafe extern "C" fn off(_: *const kemon_host, _: u64) -> kemon_status {
    KEMON_OK
}
unsafe extern "C" fn now(_: *const kemon_host) -> u64 {
    0
}
unsafe extern "C" fn on(
    _: *const kemon_host,
    handler: *const kemon_handler,
    _: *mut u64,
    _: *mut kemon_error,
) -> kemon_status {
    let handler = &*handler;
    let mut event: kemon_event = zeroed();
    event.size = size_of::<kemon_event>() as u32;
    event.header_size = size_of::<kemon_event>() as u16;
    let mut verdict: kemon_verdict = zeroed();
    assert_eq!(handler.r#fn.unwrap()(handler.ctx, &event, &mut verdict), KEMON_OK);
    let seen = (handler.timeout_ns, handler.on_timeout, handler.cache_fields, handler.cache_ttl_ns);
    SEEN.lock().unwrap().push((seen.0, seen.1, seen.2, seen.3, verdict.action, verdict.flags));
    KEMON_OK
}

fn host() -> kemon_host {
    let (size, null) = (size_of::<kemon_host>() as u32, ptr::null());
    let (name, version, r#priv) = (null, null, ptr::null_mut());
    kemon_host { size, abi: KEMON_ABI, mode: 1, plugin_id: 1, name, version, r#priv, ext, log, on, off, now }
}

unsafe extern "C" fn write(sink: *mut kemon_sink, bytes: *const c_void, count: u64) -> kemon_status {
    let all = &mut *(*sink).r#priv.cast::<Vec<u8>>();
    all.extend_from_slice(std::slice::from_raw_parts(bytes.cast::<u8>(), count as usize));
    KEMON_OK
}

/// What an instance with this state saves.
unsafe fn save(instance: *mut c_void) -> (kemon_status, Vec<u8>) {
    let mut bytes: Vec<u8> = vec![];
    let r#priv = (&mut bytes as *mut Vec<u8>).cast();
    let mut sink = kemon_sink { size: size_of::<kemon_sink>() as u32, reserved: 0, r#priv, write };
    (EntryPoints::<Whole>::TABLE.save.unwrap()(instance, &mut sink), bytes)
}

#[test]
fn a_plugin_without_them_has_no_reconfigure_and_no_save() {
    assert!(EntryPoints::<Bare>::TABLE.reconfigure.is_none());
    assert!(EntryPoints::<Bare>::TABLE.save.is_none());
}

#[test]
fn budgets_configurations_and_states_reach_the_other_side() {
    let table = EntryPoints::<Whole>::TABLE;
    let host = host();
    for (state, status, saved) in
        [(None, KEMON_OK, "new+"), (Some("old"), KEMON_OK, "old+"), (Some("full"), KEMON_E_FAILED, "")]
    {
        unsafe {
            let mut create: kemon_create = zeroed();
            create.size = size_of::<kemon_create>() as u32;
            create.state = state.map_or(ptr::null(), |state: &str| state.as_ptr().cast());
            create.state_len = state.map_or(0, |state| state.len() as u64);
            let mut error: kemon_error = zeroed();
            error.size = size_of::<kemon_error>() as u32;
            let instance = table.create.unwrap()(&host, &create, &mut error);
            assert!(!instance.is_null());
            let seen = SEEN.lock().unwrap().pop().unwrap();
            let fields = KEMON_CACHE_PATH | KEMON_CACHE_UID;
            assert_eq!(seen, (5_000_000, 2, fields, 2_000_000_000, KEMON_DENY, KEMON_V_CACHEABLE));
            assert_eq!(save(instance), (status, saved.as_bytes().to_vec()));
            let reconfigure = table.reconfigure.unwrap();
            let answers = [KEMON_OK, KEMON_E_FAILED, KEMON_E_FAILED];
            for answer in answers {
                assert_eq!(reconfigure(instance, b"{}\0".as_ptr().cast(), 2, &mut error), answer);
            }
            let text: Vec<u8> = error.text.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
            assert_eq!(text, b"panic: nor that");
            table.destroy.unwrap()(instance);
        }
    }
}
