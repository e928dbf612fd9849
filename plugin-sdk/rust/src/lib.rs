// SPDX-License-Identifier: Apache-2.0

//! Plugins of Kemon in Rust.
//!
//! ```
//! use kemon_plugin::{export_plugin, Errno, Handler, Host, Phase, Plugin, Vote};
//!
//! struct Guard;
//!
//! impl Plugin for Guard {
//!     fn new(host: &Host) -> Result<(Self, Vec<Handler>), String> {
//!         host.info("watching /etc/shadow");
//!         let open = Handler::on("file.open", Phase::Pre, |event| {
//!             Ok(if event.subject().uid == 0 { Vote::Allow } else { Vote::deny(Errno::EACCES, "for root only") })
//!         });
//!         Ok((Guard, vec![open.filter("path ^= '/etc/shadow'").on_fault_deny()]))
//!     }
//! }
//!
//! export_plugin!(Guard, r#"{"name": "my-guard", "version": "1.0.0", "abi": 1}"#);
//! # fn main() {}
//! ```
//!
//! A panic ends at the border: in a handler it is a fault, in `new` and `start` a failure with its text. Build plugins
//! with `crate-type = ["cdylib"]` and without `panic = "abort"`.

mod event;
mod export;
mod handler;
mod host;
pub mod payloads;
pub mod sys;

pub use event::{Event, Phase};
pub use export::{EntryPoints, Plugin};
pub use handler::{Errno, Fault, Handler, Vote};
pub use host::{Config, Host, Mode};
