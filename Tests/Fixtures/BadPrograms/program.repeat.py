# SPDX-License-Identifier: Apache-2.0
import os

import kemon


@kemon.on("file.open", phase="pre", name="open")
def on_open(event):
    return kemon.deny(code=os.getpid())


kemon.run()
