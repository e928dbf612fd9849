# SPDX-License-Identifier: Apache-2.0
"""A plugin that has nothing to say."""

import kemon


@kemon.on("file.open", phase="pre")
def ignore(event):
    return None


kemon.run()
