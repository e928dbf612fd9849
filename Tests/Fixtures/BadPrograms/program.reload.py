# SPDX-License-Identifier: Apache-2.0
import kemon


@kemon.create
def create(config, state):
    if state is not None:
        raise kemon.Failure("this is none of mine")


@kemon.save
def save():
    return b"mine"


@kemon.on("file.open", phase="pre", name="open")
def on_open(event):
    return None


kemon.run()
