// SPDX-License-Identifier: Apache-2.0

use crate::event::{Event, Phase};
use crate::sys::{self, kemon_event, kemon_handler_fn, kemon_status, kemon_verdict};
use std::ffi::{c_void, CString};
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

/// An error number of a denial: Linux numbers, which the host translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(1);
    /// No such file or directory.
    pub const ENOENT: Errno = Errno(2);
    /// Resource temporarily unavailable.
    pub const EAGAIN: Errno = Errno(11);
    /// Permission denied.
    pub const EACCES: Errno = Errno(13);
    /// Connection refused.
    pub const ECONNREFUSED: Errno = Errno(111);
}

/// What a handler says about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vote<'a> {
    /// No opinion.
    Abstain,
    /// Fine as far as this handler goes.
    Allow,
    /// The operation fails with an errno, for a reason that people can read; 95 bytes of it are kept.
    Deny(Errno, &'a str),
    /// Pre: fine, but only these bits of the operation's flags stay.
    AllowOnly(u64),
    /// Post: the caller gets this instead of what the operation returned.
    ReplaceResult(i64, &'a str),
    /// The same for every event that is equal in the handler's `cache`; made by `cacheable`.
    Cacheable(Box<Vote<'a>>),
}

impl<'a> Vote<'a> {
    /// The operation fails with an errno.
    pub fn deny(errno: Errno, reason: &'a str) -> Vote<'a> {
        Vote::Deny(errno, reason)
    }

    /// The answer holds for every event that is equal in the handler's `cache`: the host may give it without calling.
    pub fn cacheable(self) -> Vote<'a> {
        Vote::Cacheable(Box::new(self))
    }

    fn write(&self, verdict: &mut kemon_verdict) {
        match self {
            Vote::Abstain => {}
            Vote::Allow => verdict.action = sys::KEMON_ALLOW,
            Vote::Deny(errno, reason) => {
                verdict.action = sys::KEMON_DENY;
                verdict.err = errno.0;
                copy_text(reason, &mut verdict.reason);
            }
            Vote::AllowOnly(mask) => {
                verdict.action = sys::KEMON_MODIFY;
                verdict.allow_mask = *mask;
            }
            Vote::ReplaceResult(result, reason) => {
                verdict.action = sys::KEMON_MODIFY;
                verdict.flags |= sys::KEMON_V_RESULT;
                verdict.result = *result;
                copy_text(reason, &mut verdict.reason);
            }
            Vote::Cacheable(vote) => {
                vote.write(verdict);
                verdict.flags |= sys::KEMON_V_CACHEABLE;
            }
        }
    }
}

/// Copies as much of a text as fits with a NUL behind it, whole characters only.
pub(crate) fn copy_text(text: &str, to: &mut [c_char]) {
    let mut end = text.len().min(to.len() - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    for (target, byte) in to.iter_mut().zip(&text.as_bytes()[..end]) {
        *target = *byte as c_char;
    }
    to[end] = 0;
}

/// What a handler that failed is taken to have voted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Fault {
    Abstain = 0,
    Allow = 1,
    Deny = 2,
}

type Body = dyn for<'a> Fn(Event<'a>) -> Result<Vote<'a>, String> + Send + Sync;

/// How long a handler may take, and which of its answers may be remembered.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// None for as long as it likes.
    pub(crate) timeout_ns: Option<u64>,
    pub(crate) on_timeout: Fault,
    pub(crate) cache_fields: u32,
    pub(crate) cache_ttl_ns: u64,
}

impl Terms {
    const NONE: Terms = Terms { timeout_ns: None, on_timeout: Fault::Abstain, cache_fields: 0, cache_ttl_ns: 0 };
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A handler to be registered.
pub struct Handler {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) phase: u16,
    pub(crate) filter: Option<String>,
    pub(crate) flags: u32,
    pub(crate) on_fault: Fault,
    pub(crate) priority: i32,
    pub(crate) terms: Terms,
    body: Box<Body>,
}

impl Handler {
    /// A handler that votes, where the event happens: several threads may be in it, and the operation waits.
    ///
    /// An `Err` is a fault: `on_fault` says what counts as the vote then.
    pub fn on<F>(kind: &str, phase: Phase, body: F) -> Handler
    where
        F: for<'a> Fn(Event<'a>) -> Result<Vote<'a>, String> + Send + Sync + 'static,
    {
        let side = match phase {
            Phase::Pre => "pre",
            Phase::Post => "post",
            Phase::Notify => "notify",
        };
        Handler {
            name: format!("{}.{}", kind, side),
            kind: kind.into(),
            phase: phase as u16,
            filter: None,
            flags: 0,
            on_fault: Fault::Abstain,
            priority: 0,
            terms: Terms::NONE,
            body: Box::new(body),
        }
    }

    /// A handler that looks on: it reads events after their decision, on a thread of its own.
    pub fn observe<F>(kind: &str, body: F) -> Handler
    where
        F: for<'a> Fn(Event<'a>) -> Result<(), String> + Send + Sync + 'static,
    {
        Handler {
            name: format!("observe.{}", kind),
            kind: kind.into(),
            phase: 0,
            filter: None,
            flags: sys::KEMON_H_OBSERVE,
            on_fault: Fault::Abstain,
            priority: 0,
            terms: Terms::NONE,
            body: Box::new(move |event| body(event).map(|_| Vote::Abstain)),
        }
    }

    /// Names it; by default it has the name of its kind and phase.
    pub fn named(mut self, name: &str) -> Handler {
        self.name = name.into();
        self
    }

    /// A condition that the host checks before it calls, as in `path ^= '/etc/' and not uid in (0, 501)`.
    pub fn filter(mut self, filter: &str) -> Handler {
        self.filter = Some(filter.into());
        self
    }

    /// A fault counts as a denial: what a guard wants.
    pub fn on_fault_deny(mut self) -> Handler {
        self.on_fault = Fault::Deny;
        self
    }

    /// How long a call may take, at most an hour, and what counts as the vote when it takes longer.
    pub fn timeout(mut self, timeout: Duration, on_timeout: Fault) -> Handler {
        self.terms.timeout_ns = Some(nanoseconds(timeout));
        self.terms.on_timeout = on_timeout;
        self
    }

    /// What the answer depends on (`KEMON_CACHE_*`), so that a `Vote::cacheable` may be remembered; None: for ever.
    pub fn cache(mut self, fields: u32, lifetime: Option<Duration>) -> Handler {
        self.terms.cache_fields = fields;
        self.terms.cache_ttl_ns = lifetime.map_or(0, |lifetime| nanoseconds(lifetime).max(1));
        self
    }

    /// Lower is called first; it never turns a denial into something else.
    pub fn priority(mut self, priority: i32) -> Handler {
        self.priority = priority;
        self
    }

    /// The vote is recorded as "would deny" and never enforced.
    pub fn shadow(mut self) -> Handler {
        self.flags |= sys::KEMON_H_SHADOW;
        self
    }
}

/// A registered handler: what the host's context points at.
pub(crate) struct Registered {
    body: Box<Body>,
}

impl Registered {
    /// The handler's texts for C, and the boxed body.
    pub(crate) fn split(handler: Handler) -> Result<(CTexts, Handler, Box<Registered>), String> {
        if handler.terms.timeout_ns == Some(0) {
            return Err(format!("handler {:?}: a timeout must be more than 0", handler.name));
        }
        let text = |text: &str| CString::new(text).map_err(|_| format!("{:?} has a NUL in it", text));
        let texts = CTexts {
            name: text(&handler.name)?,
            kind: text(&handler.kind)?,
            filter: handler.filter.as_deref().map(text).transpose()?,
        };
        let Handler { name, kind, phase, filter, flags, on_fault, priority, terms, body } = handler;
        let empty: Box<Body> = Box::new(|_| Ok(Vote::Abstain));
        let rest = Handler { name, kind, phase, filter, flags, on_fault, priority, terms, body: empty };
        Ok((texts, rest, Box::new(Registered { body })))
    }

    pub(crate) const FUNCTION: kemon_handler_fn = call;
}

pub(crate) struct CTexts {
    pub(crate) name: CString,
    pub(crate) kind: CString,
    pub(crate) filter: Option<CString>,
}

/// What the host calls. A panic ends here.
unsafe extern "C" fn call(
    context: *mut c_void,
    event: *const kemon_event,
    verdict: *mut kemon_verdict,
) -> kemon_status {
    let registered = &*context.cast::<Registered>();
    let (event, verdict) = match (Event::from_raw(event), verdict.as_mut()) {
        (Some(event), Some(verdict)) => (event, verdict),
        _ => return sys::KEMON_E_INVALID,
    };
    match catch_unwind(AssertUnwindSafe(|| (registered.body)(event).map(|vote| vote.write(verdict)))) {
        Ok(Ok(())) => sys::KEMON_OK,
        _ => sys::KEMON_E_FAILED,
    }
}
