# SPDX-License-Identifier: Apache-2.0
import os

import kemon


@kemon.on("file.open", phase="pre", name=f"open-{os.getpid()}")
def on_open(event):
    return None


kemon.run()
