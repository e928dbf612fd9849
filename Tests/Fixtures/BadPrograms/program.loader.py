# SPDX-License-Identifier: Apache-2.0
import kemon


@kemon.on("file.open", phase="pre", name="open")
def on_open(event):
    return None


kemon.run()
