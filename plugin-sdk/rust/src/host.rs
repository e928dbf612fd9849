// SPDX-License-Identifier: Apache-2.0

use crate::sys::{self, kemon_ext_config, kemon_ext_output, kemon_host};
use std::ffi::{CStr, CString};
use std::os::raw::c_char;

/// What events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They happen now.
    Run,
    /// They come from a recording.
    Replay,
    /// As in replay, many rounds.
    Bench,
}

/// The host: log, clock, output, configuration. Valid as long as the plugin; any thread.
#[derive(Clone, Copy)]
pub struct Host {
    raw: *const kemon_host,
}

// The table never changes and outlives the plugin; its functions may be called by any thread.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

const ERROR: i32 = 1;
const WARN: i32 = 2;
const INFO: i32 = 3;
const DEBUG: i32 = 4;

impl Host {
    /// # Safety
    /// `raw` is the table that create was given.
    pub(crate) unsafe fn from_raw(raw: *const kemon_host) -> Host {
        Host { raw }
    }

    pub(crate) fn table(&self) -> &kemon_host {
        // Valid as long as the plugin.
        unsafe { &*self.raw }
    }

    /// Something does not work.
    pub fn error(&self, text: &str) {
        self.log(ERROR, text)
    }

    /// Something is odd.
    pub fn warn(&self, text: &str) {
        self.log(WARN, text)
    }

    /// Good to know.
    pub fn info(&self, text: &str) {
        self.log(INFO, text)
    }

    /// For the plugin's author.
    pub fn debug(&self, text: &str) {
        self.log(DEBUG, text)
    }

    fn log(&self, level: i32, text: &str) {
        unsafe { (self.table().log)(self.raw, level, text.as_ptr().cast::<c_char>(), text.len()) }
    }

    /// The event clock, nanoseconds since 1970; during replay the time of the current event.
    pub fn now(&self) -> u64 {
        unsafe { (self.table().now)(self.raw) }
    }

    /// Where events come from.
    pub fn mode(&self) -> Mode {
        match self.table().mode {
            2 => Mode::Replay,
            3 => Mode::Bench,
            _ => Mode::Run,
        }
    }

    /// Appends whole lines to standard output, which is the host's.
    ///
    /// `Err` is a status: a full queue drops and says so.
    pub fn write(&self, lines: &str) -> Result<(), i32> {
        let table = unsafe { self.extension::<kemon_ext_output>("kemon.output/1") };
        let table = table.ok_or(sys::KEMON_E_UNSUPPORTED)?;
        match unsafe { (table.write)(self.raw, lines.as_ptr().cast(), lines.len()) } {
            sys::KEMON_OK => Ok(()),
            status => Err(status),
        }
    }

    /// The configuration, to be read in `Plugin::new` and `start`; None when the host has no such extension.
    pub fn config(&self) -> Option<Config<'_>> {
        let table = unsafe { self.extension::<kemon_ext_config>("kemon.config/1") }?;
        Some(Config { host: self, table })
    }

    /// # Safety
    /// `Table` is the struct of that id.
    unsafe fn extension<Table>(&self, id: &str) -> Option<&Table> {
        let id = CString::new(id).ok()?;
        (self.table().ext)(self.raw, id.as_ptr()).cast::<Table>().as_ref()
    }
}

/// The plugin's configuration, read by path: `deny[0].id`; the empty path is the whole of it.
pub struct Config<'a> {
    host: &'a Host,
    table: &'a kemon_ext_config,
}

impl<'a> Config<'a> {
    /// How many elements or members are at a path; None when it is neither.
    pub fn count(&self, path: &str) -> Option<usize> {
        let path = CString::new(path).ok()?;
        let count = unsafe { (self.table.count)(self.host.raw, path.as_ptr()) };
        usize::try_from(count).ok()
    }

    /// The text at a path; `Err` names the path when something else is there.
    pub fn string(&self, path: &str) -> Result<Option<String>, String> {
        let c_path = CString::new(path).map_err(|_| format!("{:?} has a NUL in it", path))?;
        let text = unsafe { (self.table.string)(self.host.raw, c_path.as_ptr()) };
        if !text.is_null() {
            return Ok(Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()));
        }
        match (self.count(path), self.integer(path)) {
            (None, Ok(None)) => Ok(None),
            _ => Err(format!("{}: must be a string", path)),
        }
    }

    /// The whole number at a path; `Err` names the path when something else is there.
    pub fn integer(&self, path: &str) -> Result<Option<i64>, String> {
        let c_path = CString::new(path).map_err(|_| format!("{:?} has a NUL in it", path))?;
        let mut value = 0;
        match unsafe { (self.table.integer)(self.host.raw, c_path.as_ptr(), &mut value) } {
            sys::KEMON_OK => Ok(Some(value)),
            sys::KEMON_E_NOTFOUND => Ok(None),
            _ => Err(format!("{}: must be an integer", path)),
        }
    }

    /// The truth at a path; `Err` names the path when something else is there.
    pub fn boolean(&self, path: &str) -> Result<Option<bool>, String> {
        let c_path = CString::new(path).map_err(|_| format!("{:?} has a NUL in it", path))?;
        let mut value = 0;
        match unsafe { (self.table.boolean)(self.host.raw, c_path.as_ptr(), &mut value) } {
            sys::KEMON_OK => Ok(Some(value != 0)),
            sys::KEMON_E_NOTFOUND => Ok(None),
            _ => Err(format!("{}: must be true or false", path)),
        }
    }
}
