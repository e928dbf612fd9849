# SPDX-License-Identifier: Apache-2.0
"""Records as handlers see them: kemon_event of kemon/event.h, read in place by what the host says of its kinds."""

import struct

PHASES = {"pre": 1, "post": 2, "notify": 3}

# The header: name, format, offset.
_HEADER = {
    "flags": ("=H", 10), "seq": ("=Q", 24), "corr": ("=Q", 32), "time_ns": ("=Q", 40), "deadline_ns": ("=Q", 48),
    "start_ns": ("=Q", 56), "pid": ("=i", 64), "tid": ("=i", 68), "ppid": ("=i", 72), "uid": ("=I", 76),
    "gid": ("=I", 80), "result": ("=i", 112), "decided_by": ("=I", 116), "verdict": ("=H", 126),
}
_HEADER_TEXTS = {"exe": 88, "comm": 96, "parent": 104}
_FORMATS = {"u16": "=H", "u32": "=I", "i32": "=i", "u64": "=Q", "i64": "=q", "addr": "=Q"}
_STR = struct.Struct("=II")
_NUMBERS = {form: struct.Struct(form) for form in set(_FORMATS.values()) | {form for form, _ in _HEADER.values()}}

TRUNCATED, REPLAYED, GAP_BEFORE = 0x1, 0x2, 0x4


class Kind:
    """A kind of event, as the host describes it."""

    __slots__ = ("name", "phase", "fields")

    def __init__(self, description):
        self.name, self.phase = description["name"], description["phase"]
        self.fields = {name: (kind, offset, width) for name, kind, offset, width in description["fields"]}


class Event:
    """An event, valid while its handler runs. Fields of its payload are attributes, as in `event.path`."""

    __slots__ = ("_bytes", "_kind")

    def __init__(self, data, kinds):
        self._bytes = data
        number = int.from_bytes(data[6:8], "little")
        self._kind = kinds.get(number)

    @property
    def kind(self):
        """The name, as in "file.open"; "" for one that the host does not describe."""
        return self._kind.name if self._kind else ""

    @property
    def phase(self):
        """"pre", "post" or "notify"."""
        return self._kind.phase if self._kind else ""

    @property
    def is_truncated(self):
        """Some text is cut: nobody may allow by comparing it."""
        return bool(self.flags & TRUNCATED)

    def fields(self):
        """The payload as a dictionary."""
        return {name: getattr(self, name) for name in (self._kind.fields if self._kind else ())}

    def __getattr__(self, name):
        if self._kind is not None:
            field = self._kind.fields.get(name)
            if field is not None:
                return self._payload(*field)
        header = _HEADER.get(name)
        if header is not None:
            return self._number(*header)
        place = _HEADER_TEXTS.get(name)
        if place is not None:
            return self._text(place)
        raise AttributeError(f"an event of kind {self.kind!r} has no {name!r}")

    def _number(self, form, offset):
        return _NUMBERS[form].unpack_from(self._bytes, offset)[0]

    def _payload(self, kind, offset, width):
        start, size = _STR.unpack_from(self._bytes, 16)
        if offset + width > size:
            return None  # from a producer that did not know the field
        if kind in _FORMATS:
            return self._number(_FORMATS[kind], start + offset)
        if kind == "str":
            return self._text(start + offset)
        data = self._slice(start + offset)
        if kind == "list":
            return [part.decode(errors="replace") for part in data.split(b"\0")[:-1]]
        return data

    def _slice(self, place):
        offset, length = _STR.unpack_from(self._bytes, place)
        return bytes(self._bytes[offset:offset + length]) if offset else b""

    def _text(self, place):
        return self._slice(place).decode(errors="replace")
