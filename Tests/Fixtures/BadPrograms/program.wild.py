# SPDX-License-Identifier: Apache-2.0
import kemon


@kemon.on("file.open", phase="pre", name="open")
def on_open(event):
    if event.path[0] != "/" or len(event.path) > 1024:
        raise ValueError("no path")


kemon.run()
