# SPDX-License-Identifier: Apache-2.0
"""Does what a test asks for, by the path of the file that is opened."""

import errno
import os
import struct

import kemon

count = 0
is_full = False


@kemon.create
def create(config, state):
    global count
    if "refuse" in config:
        raise kemon.Failure(config["refuse"])
    if "error" in config:
        raise ValueError("a mistake")
    if state:
        (count,) = struct.unpack("<Q", state)
    kemon.log("created with " + repr(sorted(config)), "warn")


@kemon.save
def save():
    if is_full:
        raise RuntimeError("full")
    return struct.pack("<Q", count)


@kemon.stop
def stop():
    print("stopped")


@kemon.on("file.open", phase="pre", on_fault="deny")
def guard(event):
    global count, is_full
    count += 1
    is_full = event.path == "/full"
    if event.path == "/deny":
        return kemon.deny(errno.EACCES, "because", code=count)
    if event.path == "/allow":
        return kemon.allow()
    if event.path == "/narrow":
        return kemon.narrow(0x3)
    if event.path == "/without":
        return kemon.narrow(~0x3)
    if event.path == "/true":
        return True
    if event.path == "/huge":
        return kemon.deny(1 << 40)
    if event.path == "/raise":
        raise RuntimeError("on purpose")
    if event.path == "/die":
        os._exit(3)
    if event.path == "/reach":
        for name, attempt in {
            "fork": os.fork, "file": lambda: open("/etc/passwd"), "new": lambda: open("/tmp/kemon-probe", "w"),
        }.items():
            try:
                attempt()
                print(name, "yes")
            except OSError:
                print(name, "no")
    return None


@kemon.on("file.*", observe=True)
def watch(event):
    if event.path == "/leave":
        os._exit(4)
    print(event.kind, event.phase, event.pid, event.exe, event.fields().get("path"), event.verdict, sep="|")


kemon.run()
