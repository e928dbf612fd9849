// SPDX-License-Identifier: Apache-2.0
//! my-guard: only root opens what its configuration calls secret.

use kemon_plugin::payloads::kemon_file;
use kemon_plugin::{export_plugin, Errno, Handler, Host, Phase, Plugin, Vote};

struct MyGuard;

impl Plugin for MyGuard {
    /// Reads the configuration; an `Err` is shown to the operator.
    fn new(host: &Host) -> Result<(Self, Vec<Handler>), String> {
        let config = host.config().ok_or("this host has no kemon.config/1")?;
        let secret = config.string("secret")?.unwrap_or_else(|| "/etc/shadow".into());
        // Called before a file is opened; the one who opens it waits for the answer.
        let open = Handler::on("file.open", Phase::Pre, move |event| {
            let file = event.payload::<kemon_file>().ok_or("a producer older than file.open")?;
            if event.subject().uid == 0 || event.data(file.path) != secret.as_bytes() {
                return Ok(Vote::Abstain);
            }
            Ok(Vote::deny(Errno::EACCES, "for root only"))
        });
        Ok((MyGuard, vec![open.on_fault_deny()]))
    }
}

export_plugin!(
    MyGuard,
    r#"{"name": "my-guard", "version": "0.1.0", "abi": 1, "description": "Only root opens secrets.",
        "extensions": ["kemon.config/1"]}"#
);
