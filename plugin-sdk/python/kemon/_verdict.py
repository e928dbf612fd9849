# SPDX-License-Identifier: Apache-2.0
"""What a handler answers: kemon_verdict of kemon/verdict.h."""

import errno
import struct

ABSTAIN, ALLOW, MODIFY, DENY = 0, 1, 2, 4

RESULT, CACHEABLE = 0x1, 0x2

# size, action, flags, err, reason_code, allow_mask, result, reason
LAYOUT = struct.Struct("=IHHiIQq96s")
EVERY_BIT = (1 << 64) - 1


class Verdict:
    """One vote. Make it with allow, deny, narrow or replace_result."""

    __slots__ = ("action", "flags", "err", "code", "mask", "result", "reason")

    def __init__(self, action, err=0, reason="", code=0, mask=EVERY_BIT, result=0, flags=0):
        self.action, self.err, self.code = action, err, code
        self.mask, self.result, self.flags = mask, result, flags
        text = reason.encode()
        # Cut between two characters, never inside one.
        self.reason = text if len(text) < 96 else text[:95].decode(errors="ignore").encode()

    def cacheable(self):
        """The answer holds for every event that is equal in the handler's cache fields."""
        self.flags |= CACHEABLE
        return self

    def pack(self):
        return LAYOUT.pack(
            LAYOUT.size, self.action, self.flags, self.err, self.code, self.mask & EVERY_BIT, self.result, self.reason)


def allow():
    """The operation is fine as far as this handler goes."""
    return Verdict(ALLOW)


def deny(err=errno.EPERM, reason="", code=0):
    """The operation fails with errno `err`; `code` is a stable number of the plugin's own."""
    return Verdict(DENY, err, reason, code)


def narrow(mask, reason=""):
    """Before an operation: only these bits of its flags stay allowed."""
    return Verdict(MODIFY, reason=reason, mask=mask)


def replace_result(result, reason=""):
    """After an operation: the caller gets this instead of what it returned."""
    return Verdict(MODIFY, reason=reason, result=result, flags=RESULT)


BLANK = Verdict(ABSTAIN).pack()
