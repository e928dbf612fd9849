# SPDX-License-Identifier: Apache-2.0
"""Denies the opening of one file: `{"path": "/etc/shadow"}`."""

import errno

import kemon

denied = "/etc/shadow"


@kemon.create
def create(config, state):
    global denied
    denied = config.get("path", denied)
    if not denied.startswith("/"):
        raise kemon.Failure("path: needed is an absolute one")


@kemon.on("file.open", phase="pre", on_fault="deny")
def guard(event):
    if event.path == denied:
        return kemon.deny(errno.EACCES, "not this one")


kemon.run()
