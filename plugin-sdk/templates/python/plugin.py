# SPDX-License-Identifier: Apache-2.0
"""my-guard: only root opens what its configuration calls secret."""

import errno

import kemon

secret = "/etc/shadow"


@kemon.create
def create(config, state):
    """Called first. `state` is what a function marked with `kemon.save` returned in the process before; None here."""
    global secret
    secret = config.get("secret", secret)


@kemon.on("file.open", phase="pre", name="open", on_fault="deny")
def on_open(event):
    """Called before a file is opened; the one who opens it waits for the answer."""
    if event.uid != 0 and event.path == secret:
        return kemon.deny(errno.EACCES, "for root only")
    return None  # no opinion


kemon.run()
