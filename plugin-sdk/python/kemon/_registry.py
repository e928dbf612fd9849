# SPDX-License-Identifier: Apache-2.0
"""What the plugin is made of: its handlers, and the functions for its life."""

from ._event import PHASES

OUTCOMES = {"abstain": 0, "allow": 1, "deny": 2}
CACHE = {
    "pid": 0x1, "ppid": 0x2, "uid": 0x4, "gid": 0x8, "exe": 0x10, "comm": 0x20, "path": 0x40, "file": 0x80,
    "payload": 0x100,
}

#: Handlers by number: (function, description for the host).
handlers = {}
#: create, start, stop and save, where there are any.
life = {}


def on(kind, *, phase=None, filter=None, name=None, on_fault="abstain", on_timeout="abstain", timeout=0.0, priority=0,
       observe=False, shadow=False, cache=(), cache_ttl=0.0):
    """Registers a handler for a kind, as in "file.open", or for a pattern with * at its end.

    phase: "pre", "post", "notify"; None for every phase. filter: a condition that the host checks first. timeout: seconds.
    observe: sees what was decided, and delays nobody. shadow: its votes are only recorded. cache: what the answer depends on.
    """
    def register(function):
        number = len(handlers) + 1
        handlers[number] = (function, {
            "id": number, "name": name or function.__name__, "kind": kind, "filter": filter,
            "flags": (1 if observe else 0) | (2 if shadow else 0), "phase": PHASES[phase] if phase else 0,
            "on_fault": OUTCOMES[on_fault], "on_timeout": OUTCOMES[on_timeout], "timeout_ns": int(timeout * 1e9),
            "priority": priority, "cache_fields": sum(CACHE[field] for field in cache),
            "cache_ttl_ns": int(cache_ttl * 1e9),
        })
        return function
    return register


def _hook(name):
    def register(function):
        life[name] = function
        return function
    register.__name__ = name
    return register


create = _hook("create")
create.__doc__ = """Called first, with the configuration (a dictionary) and what `save` returned before (bytes, or None).

It may register handlers. Raise Failure to refuse."""
start = _hook("start")
start.__doc__ = "Called before events flow."
stop = _hook("stop")
stop.__doc__ = "Called when no handler runs any more."
save = _hook("save")
save.__doc__ = "Returns bytes that the next process of the plugin shall know."
