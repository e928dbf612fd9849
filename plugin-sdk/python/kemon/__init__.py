# SPDX-License-Identifier: Apache-2.0
"""Plugins for Kemon in Python: handlers are functions, the host calls them in a process of their own.

    import errno, kemon

    @kemon.on("file.open", phase="pre", filter="path ^= '/etc/'", on_fault="deny")
    def guard(event):
        if event.path == "/etc/shadow":
            return kemon.deny(errno.EACCES, "not the shadow file")

    kemon.run()

A handler that returns None has no opinion. One that raises has failed: its `on_fault` is its vote, and the log has the
traceback. One handler runs at a time. What is printed is output, whole lines of it; `log` is for the operator.
"""

from ._event import Event
from ._session import Failure, log, run
from ._registry import create, on, save, start, stop
from ._verdict import ALLOW, DENY, MODIFY, Verdict, allow, deny, narrow, replace_result

__all__ = [
    "ALLOW", "DENY", "MODIFY", "Event", "Failure", "Verdict", "allow", "create", "deny", "log", "narrow", "on",
    "replace_result", "run", "save", "start", "stop",
]
