// SPDX-License-Identifier: Apache-2.0

use crate::sys::{self, kemon_event, kemon_str, kemon_subject};
use std::mem::size_of;

/// Which side of an operation an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Phase {
    /// Before the operation: a handler may vote.
    Pre = 1,
    /// After it: a handler sees the result and may replace it.
    Post = 2,
    /// There is no operation to decide on.
    Notify = 3,
}

/// An event as a handler sees it: a record, read in place.
///
/// It lives until the handler returns; the borrow checker sees to that.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    raw: &'a kemon_event,
}

/// A payload struct of `payloads`: plain numbers and strings, for which any bytes are a value.
///
/// # Safety
/// The type is `repr(C)`, has no padding, and any bytes are a valid value of it.
pub unsafe trait Payload: Copy {}

impl<'a> Event<'a> {
    /// # Safety
    /// `raw` points at a record that the host has checked, valid for `'a`.
    pub(crate) unsafe fn from_raw(raw: *const kemon_event) -> Option<Event<'a>> {
        raw.as_ref().map(|raw| Event { raw })
    }

    /// The header, for what has no method here.
    pub fn header(&self) -> &'a kemon_event {
        self.raw
    }

    /// Who acts.
    pub fn subject(&self) -> &'a kemon_subject {
        &self.raw.subject
    }

    /// The number of the kind: `kemon/event_table.h`.
    pub fn kind(&self) -> u16 {
        self.raw.kind
    }

    /// The side of the operation.
    pub fn phase(&self) -> Phase {
        match self.raw.phase {
            1 => Phase::Pre,
            2 => Phase::Post,
            _ => Phase::Notify,
        }
    }

    /// Whether some string is cut: never allow by comparing it.
    pub fn is_truncated(&self) -> bool {
        self.raw.flags & sys::KEMON_EV_TRUNCATED != 0
    }

    /// The payload, or None when the producer is too old to fill it in. Know the kind before you ask.
    pub fn payload<P: Payload>(&self) -> Option<P> {
        let (start, size) = (self.raw.payload_off as usize, self.raw.payload_size as usize);
        if size < size_of::<P>() {
            return None;
        }
        let bytes = self.bytes().get(start..start.checked_add(size)?)?;
        // Any bytes are a value of P, and there are enough of them.
        Some(unsafe { bytes.as_ptr().cast::<P>().read_unaligned() })
    }

    /// The bytes of a string, empty when it is absent or does not lie inside the event.
    pub fn data(&self, string: kemon_str) -> &'a [u8] {
        if string.off == 0 {
            return &[];
        }
        let start = string.off as usize;
        self.bytes().get(start..start + string.len as usize).unwrap_or(&[])
    }

    /// A string as text; None when it is not UTF-8.
    pub fn text(&self, string: kemon_str) -> Option<&'a str> {
        std::str::from_utf8(self.data(string)).ok()
    }

    /// All bytes of the record.
    fn bytes(&self) -> &'a [u8] {
        let start = (self.raw as *const kemon_event).cast::<u8>();
        // The host's records have as many bytes as they say.
        unsafe { std::slice::from_raw_parts(start, self.raw.size as usize) }
    }
}
