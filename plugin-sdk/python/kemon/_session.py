# SPDX-License-Identifier: Apache-2.0
"""The worker's side of the protocol: docs/plugins/worker-protocol.md, kemon/worker.h. Transport "socket"."""

import json
import os
import select
import struct
import sys
import traceback

from ._event import Event, Kind
from ._registry import handlers, life
from ._verdict import BLANK

CONTROL, EVENTS, LANES = 3, 6, 7
STATE, HELLO, START, SAVE, STOP = 1, 2, 3, 4, 5
CREATED, STARTED, SAVED, STOPPED, FAILED = 101, 102, 103, 104, 105
ANSWER_BLANK, ANSWER_WRITTEN, ANSWER_FAULT = 0, 1, 2

_FRAME = struct.Struct("=II")
_REQUEST = struct.Struct("=IIQ")
_ANSWER = struct.Struct("=QII")
_NUMBER = struct.Struct("=Q")
_SEVERITIES = {"error": 3, "warn": 4, "info": 6, "debug": 7}
_PACKET_LIMIT = 512 << 10
_FRAME_LIMIT = 8 << 20
# Of events to observe between two acknowledgements.
_EVENTS_AT_ONCE = 32


class Failure(Exception):
    """Why the plugin cannot be created or started; the operator reads it."""


def log(text, level="info"):
    """A line for the operator: "error", "warn", "info" or "debug"."""
    for line in str(text).splitlines():
        sys.stderr.write(f"<{_SEVERITIES[level]}>{line}\n")
    sys.stderr.flush()


def _read_exactly(count):
    data = b""
    while len(data) < count:
        part = os.read(CONTROL, count - len(data))
        if not part:
            # The host is gone, and so is the reason to live.
            os._exit(1)
        data += part
    return data


def _receive():
    length, kind = _FRAME.unpack(_read_exactly(_FRAME.size))
    return kind, _read_exactly(length)


def _send(kind, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    data = _FRAME.pack(len(data), kind) + data
    while data:
        data = data[os.write(CONTROL, data):]


def _acknowledge(number):
    """Says which of the events to observe was the last that is done with; first 0, before there are any."""
    try:
        os.write(EVENTS, _NUMBER.pack(number))
    except BrokenPipeError:
        pass


def _described():
    return {"handlers": [description for _, description in handlers.values()], "concurrency": 1,
            "saves": "save" in life, "confinement": ""}


def _fail(error):
    """Tells the host what went wrong."""
    if isinstance(error, Failure):
        text = str(error)
    else:
        log(traceback.format_exc(), "error")
        text = f"{type(error).__name__}: {error}"
    _send(FAILED, {"status": -7, "text": text, "line": 0, "column": 0})


def _guarded(function, *arguments):
    """Calls a function of the plugin's life; a failure is the host's to hear, and the end."""
    try:
        return function(*arguments)
    except Exception as error:
        _fail(error)
    sys.exit(1)


def _save():
    """Answers with the plugin's state; a plugin that cannot save it goes on."""
    try:
        state = bytes(life["save"]()) if "save" in life else b""
        if len(state) > _FRAME_LIMIT:
            raise Failure(f"a state of {len(state)} bytes; at most {_FRAME_LIMIT} can be saved")
    except Exception as error:
        _fail(error)
    else:
        _send(SAVED, state)


class _Session:
    def __init__(self, hello):
        self.kinds = {int(number): Kind(kind) for number, kind in hello["schema"]["kinds"].items()}
        self.buffer = bytearray(_PACKET_LIMIT)
        self.view = memoryview(self.buffer)
        self.events = select.poll()
        self.events.register(EVENTS, select.POLLIN)
        self.lanes = [LANES + number for number in range(hello["lanes"])]

    def take(self, channel):
        """The next request of a channel: its header, and the event's bytes."""
        count = os.readv(channel, [self.buffer])
        if count < _REQUEST.size:
            return None
        size, handler, number = _REQUEST.unpack_from(self.buffer)
        return handler, number, self.view[size:count]

    def call(self, handler, data):
        return handlers[handler][0](Event(data, self.kinds))

    def answer(self, lane):
        request = self.take(lane)
        if request is None:
            os._exit(1)
        handler, number, data = request
        value, packed = ANSWER_BLANK, BLANK
        try:
            verdict = self.call(handler, data)
            if verdict is not None:
                # Whatever else it returns, and what does not fit, is a fault of the handler.
                value, packed = ANSWER_WRITTEN, verdict.pack()
        except Exception:
            log(traceback.format_exc(), "error")
            value, packed = ANSWER_FAULT, BLANK
        os.write(lane, _ANSWER.pack(number, value, 0) + packed)

    def observe(self):
        request = self.take(EVENTS)
        if request is not None:
            try:
                self.call(request[0], request[2])
            except Exception:
                log(traceback.format_exc(), "error")
            number = request[1]
            if number % _EVENTS_AT_ONCE == 0 or not self.events.poll(0):
                _acknowledge(number)
        return request is not None

    def drain(self, poll):
        """Reads what is left to observe: the host sends nothing any more."""
        while any(channel == EVENTS for channel, _ in poll.poll(0)):
            if not self.observe():
                return

    def loop(self):
        poll = select.poll()
        for channel in [CONTROL, EVENTS] + self.lanes:
            poll.register(channel, select.POLLIN)
        while True:
            for channel, _ in poll.poll():
                if channel in self.lanes:
                    self.answer(channel)
                elif channel == EVENTS:
                    if not self.observe():
                        poll.unregister(EVENTS)
                elif not self.control(poll):
                    return

    def control(self, poll):
        kind, _ = _receive()
        if kind == SAVE:
            _save()
        elif kind == STOP:
            self.drain(poll)
            if "stop" in life:
                _guarded(life["stop"])
            sys.stdout.flush()
            _send(STOPPED, {"misbehaviour": 0})
            return False
        return True


def run():
    """Speaks with the host until it stops the plugin; to be called last."""
    state = None
    kind, body = _receive()
    if kind == STATE:
        state = body
        kind, body = _receive()
    if kind != HELLO:
        raise SystemExit(f"found a frame of type {kind}, needed is a hello: a plugin is started by its host")
    hello = json.loads(body)
    if hello["protocol"] != 1 or hello["transport"] != "socket":
        _send(FAILED, {"status": -2, "text": "this module speaks protocol 1 over sockets", "line": 0, "column": 0})
        return
    if "create" in life:
        _guarded(life["create"], hello["config"], state)
    _send(CREATED, _described())
    kind, _ = _receive()
    if kind == START:
        if "start" in life:
            _guarded(life["start"])
        _acknowledge(0)
        _send(STARTED, _described())
        _Session(hello).loop()
    else:
        _send(STOPPED, {"misbehaviour": 0})
