// SPDX-License-Identifier: Apache-2.0

use crate::handler::{copy_text, Handler, Registered};
use crate::host::Host;
use crate::sys::*;
use std::any::Any;
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// A plugin: reads its configuration, declares handlers.
///
/// All of it is called by the host's control thread, one call at a time; handlers are called by others.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// Reads the configuration and says what to be called for; an `Err` is shown to the operator.
    fn new(host: &Host) -> Result<(Self, Vec<Handler>), String>;

    /// As `new`, with what `save` of the generation before wrote, if anything.
    fn with_state(host: &Host, _state: Option<&[u8]>) -> Result<(Self, Vec<Handler>), String> {
        Self::new(host)
    }

    /// Whether `reconfigure` is the plugin's own: any other plugin is refused another configuration.
    const RECONFIGURES: bool = false;

    /// Takes another configuration while events flow: all of it, or none. `host.config()` answers from it meanwhile.
    fn reconfigure(&self, _host: &Host) -> Result<(), String> {
        Ok(())
    }

    /// Whether `save` is the plugin's own.
    const SAVES: bool = false;

    /// What the next generation shall know; `with_state` gets it.
    fn save(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    /// Called before the first event; an `Err` is shown to the operator.
    fn start(&self) -> Result<(), String> {
        Ok(())
    }

    /// Called after the last handler has returned; own threads must have ended when it returns.
    fn stop(&self) {}
}

/// What create returns: the plugin and the handlers that the host points at.
struct Instance<P> {
    plugin: P,
    host: Host,
    _handlers: Vec<Box<Registered>>,
}

/// The C functions of a plugin type; made by `export_plugin!`.
pub struct EntryPoints<P>(std::marker::PhantomData<P>);

impl<P: Plugin> EntryPoints<P> {
    /// The plugin's table.
    pub const TABLE: kemon_plugin = kemon_plugin {
        size: size_of::<kemon_plugin>() as u32,
        abi: KEMON_ABI,
        create: Some(create::<P>),
        start: Some(start::<P>),
        stop: Some(stop::<P>),
        destroy: Some(destroy::<P>),
        concurrency: 0,
        flags: 0,
        reconfigure: if P::RECONFIGURES { Some(reconfigure::<P>) } else { None },
        save: if P::SAVES { Some(save::<P>) } else { None },
        explain: None,
        ext: None,
    };

    /// The entry: the table for a host that speaks this major, else NULL and why.
    ///
    /// # Safety
    /// `hello` is what the host passes to the entry.
    pub unsafe fn answer(hello: *mut kemon_hello, table: &'static kemon_plugin) -> *const kemon_plugin {
        let majors = ((*hello).abi_min >> 16)..=((*hello).abi_max >> 16);
        if majors.contains(&KEMON_ABI_MAJOR) {
            return table;
        }
        // An older host has no room for the reason.
        if (*hello).size as usize >= size_of::<kemon_hello>() {
            copy_text("the plugin speaks another major of the ABI than the host", &mut (*hello).why);
        }
        ptr::null()
    }
}

unsafe extern "C" fn create<P: Plugin>(
    host: *const kemon_host,
    given: *const kemon_create,
    error: *mut kemon_error,
) -> *mut c_void {
    let host = Host::from_raw(host);
    // An older host gives none.
    let state = given
        .as_ref()
        .filter(|given| given.size as usize >= size_of::<kemon_create>() && !given.state.is_null())
        .map(|given| std::slice::from_raw_parts(given.state.cast::<u8>(), given.state_len as usize));
    let made = guarded(|| {
        let (plugin, handlers) = P::with_state(&host, state)?;
        let mut registered = Vec::new();
        for handler in handlers {
            registered.push(register(&host, handler)?);
        }
        Ok(Box::new(Instance { plugin, host, _handlers: registered }))
    });
    match made {
        Ok(instance) => Box::into_raw(instance).cast(),
        Err(reason) => {
            fail(error, &reason);
            ptr::null_mut()
        }
    }
}

fn register(host: &Host, handler: Handler) -> Result<Box<Registered>, String> {
    let (texts, handler, registered) = Registered::split(handler)?;
    // Zero is what the host takes for "not there", in fields that are appended later, too.
    let mut raw: kemon_handler = unsafe { zeroed() };
    raw.size = size_of::<kemon_handler>() as u32;
    raw.flags = handler.flags;
    raw.name = texts.name.as_ptr();
    raw.kind = texts.kind.as_ptr();
    raw.filter = texts.filter.as_ref().map_or(ptr::null(), |filter| filter.as_ptr());
    raw.r#fn = Some(Registered::FUNCTION);
    raw.ctx = (&*registered as *const Registered as *mut Registered).cast();
    raw.phase = handler.phase;
    raw.on_fault = handler.on_fault as u16;
    raw.priority = handler.priority;
    raw.timeout_ns = handler.terms.timeout_ns.unwrap_or(0);
    raw.on_timeout = handler.terms.on_timeout as u16;
    raw.cache_fields = handler.terms.cache_fields;
    raw.cache_ttl_ns = handler.terms.cache_ttl_ns;
    let mut error: kemon_error = unsafe { zeroed() };
    error.size = size_of::<kemon_error>() as u32;
    let status = unsafe { (host.table().on)(host.table(), &raw, ptr::null_mut(), &mut error) };
    if status == KEMON_OK {
        return Ok(registered);
    }
    let text: Vec<u8> = error.text.iter().take_while(|byte| **byte != 0).map(|byte| *byte as u8).collect();
    Err(String::from_utf8_lossy(&text).into_owned())
}

unsafe extern "C" fn start<P: Plugin>(instance: *mut c_void, error: *mut kemon_error) -> kemon_status {
    let instance = &*instance.cast::<Instance<P>>();
    match guarded(|| instance.plugin.start()) {
        Ok(()) => KEMON_OK,
        Err(reason) => {
            fail(error, &reason);
            KEMON_E_FAILED
        }
    }
}

unsafe extern "C" fn reconfigure<P: Plugin>(
    instance: *mut c_void,
    _: *const c_char,
    _: u32,
    error: *mut kemon_error,
) -> kemon_status {
    let instance = &*instance.cast::<Instance<P>>();
    match guarded(|| instance.plugin.reconfigure(&instance.host)) {
        Ok(()) => KEMON_OK,
        Err(reason) => {
            fail(error, &reason);
            KEMON_E_FAILED
        }
    }
}

unsafe extern "C" fn save<P: Plugin>(instance: *mut c_void, sink: *mut kemon_sink) -> kemon_status {
    let instance = &*instance.cast::<Instance<P>>();
    match guarded(|| instance.plugin.save()) {
        Ok(bytes) => ((*sink).write)(sink, bytes.as_ptr().cast(), bytes.len() as u64),
        Err(reason) => {
            // The call has no room for a text.
            instance.host.error(&format!("save: {}", reason));
            KEMON_E_FAILED
        }
    }
}

unsafe extern "C" fn stop<P: Plugin>(instance: *mut c_void) {
    let instance = &*instance.cast::<Instance<P>>();
    let _ = guarded(|| {
        instance.plugin.stop();
        Ok(())
    });
}

unsafe extern "C" fn destroy<P: Plugin>(instance: *mut c_void) {
    let _ = guarded(|| {
        drop(Box::from_raw(instance.cast::<Instance<P>>()));
        Ok(())
    });
}

/// Runs what may panic; a panic becomes its text.
fn guarded<Value>(body: impl FnOnce() -> Result<Value, String>) -> Result<Value, String> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(text_of(panic)))
}

fn text_of(panic: Box<dyn Any + Send>) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => format!("panic: {}", text),
        (_, Some(text)) => format!("panic: {}", text),
        _ => "panic".into(),
    }
}

unsafe fn fail(error: *mut kemon_error, reason: &str) {
    if let Some(error) = error.as_mut() {
        if error.size as usize >= size_of::<kemon_error>() {
            error.code = KEMON_E_FAILED;
            copy_text(reason, &mut error.text);
        }
    }
}

/// Makes a type the plugin of this library: the entry, and the manifest in a section of its own.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty, $manifest:expr) => {
        /// The host calls this first.
        ///
        /// # Safety
        /// Called by the host only.
        #[no_mangle]
        pub unsafe extern "C" fn kemon_plugin_v1(
            hello: *mut $crate::sys::kemon_hello,
        ) -> *const $crate::sys::kemon_plugin {
            static TABLE: $crate::sys::kemon_plugin = $crate::EntryPoints::<$plugin>::TABLE;
            $crate::EntryPoints::<$plugin>::answer(hello, &TABLE)
        }

        const KEMON_MANIFEST_TEXT: &str = $manifest;

        /// The host reads the section, never the symbol.
        #[no_mangle]
        #[link_section = ".kemon.manifest"]
        pub static kemon_manifest_text: [u8; KEMON_MANIFEST_TEXT.len()] = {
            let mut bytes = [0; KEMON_MANIFEST_TEXT.len()];
            let mut index = 0;
            while index < bytes.len() {
                bytes[index] = KEMON_MANIFEST_TEXT.as_bytes()[index];
                index += 1;
            }
            bytes
        };
    };
}
