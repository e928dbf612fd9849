# SPDX-License-Identifier: Apache-2.0
"""Decides whether moved code does what the code that it was made of does."""

import random

import capstone
import unicorn

from machine import (
    ARENA, ARENA_SIZE, GENERAL, PAGE, R11, REGISTERS, RSP, STATUS, VECTORS, Content, Fault, Machine, random_state,
)

CALLS = 8  # calls of a beginning that are followed


class Wrong(Exception):
    """A difference."""


class Comparer:
    """Two machines with the same library: one runs it as it is, the other runs what a hook made of a function."""

    def __init__(self, segments, states):
        self.content = Content(segments)
        self.states = states
        self._start()
        self.decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self.decoder.detail = True

    def _start(self):
        self.plain = Machine(self.content, executable=True)
        self.moved = Machine(self.content, executable=False)

    def check(self, function):
        """Returns (verdict, detail): same, same-bytes, incomparable or wrong."""
        if max(self.plain.pages, self.moved.pages) > 3000:
            self._start()
        code = bytes.fromhex(function["code"])
        self.moved.place(function["original"], code)
        region = range(function["original"], function["original"] + len(code))
        compared, fault = 0, ""
        for state in range(self.states):
            source = random.Random(f"{function['name']} {state}")
            try:
                self._run(function, region, random_state(source), source)
                compared += 1
            except Wrong as error:
                return "wrong", f"state {state}: {error}"
            except Fault as error:
                fault = str(error)
            finally:
                self.plain.reset()
                self.moved.reset()
        if compared:
            return "same", f"{compared} of {self.states} states"
        if self._same_bytes(function, code):
            return "same-bytes", fault
        return "incomparable", fault

    def _run(self, function, region, state, source):
        plain, moved = self.plain, self.moved
        plain.load(state)
        moved.load(state)
        start, place = function["entry"], function["original"]
        patched = range(*function["patch"])
        slots = set()
        for _ in range(CALLS):
            target = self._leave(plain, moved, start, place)
            mine, theirs = plain.registers(), moved.registers()
            self._compare_registers(mine, theirs)
            back, original_back = moved.word(theirs[RSP]), plain.word(mine[RSP])
            is_call = back in region
            if target in patched and not (target == patched.start and (is_call or back == original_back)):
                raise Wrong(f"goes to {target:#x}, which the hook has overwritten")
            if not is_call:
                if back != original_back:
                    raise Wrong(f"returns to {back:#x} instead of {original_back:#x}")
                if theirs[RSP] in moved.written and back in patched and back != patched.start:
                    raise Wrong(f"a call returns to {back:#x}, which the hook has overwritten")
                break
            if theirs[RSP] not in moved.written:
                break  # a jump, and the stack happens to hold such a number
            # The called function is not run: it may do anything with what a call may change.
            slots.update(range(theirs[RSP], theirs[RSP] + 8))
            after = random_state(source)
            for index, register in enumerate(REGISTERS):
                if index == RSP:
                    after[index] = mine[RSP] + 8
                elif index < len(GENERAL) and index in (1, 6, 12, 13, 14, 15):
                    after[index] = mine[index]
            plain.load(after)
            moved.load(after)
            start, place = original_back, back
        self._compare_memory(slots, function)

    def _leave(self, plain, moved, start, place):
        """Runs both until the moved code is left; they must come to the same place."""
        try:
            target = moved.run_until_left(place)
        except Fault as error:
            # Whatever stops the one must stop the other.
            try:
                plain.run_until(start, 0)
            except Fault as other:
                if other.kind != error.kind:
                    raise Wrong(f"stops by {error}, the original by {other}") from None
                raise error from None
            if error.kind != unicorn.UC_ERR_OK:
                raise Wrong(f"stops by {error}, the original does not") from None
            raise error from None
        try:
            if not plain.run_until(start, target):
                raise Wrong(f"goes to {target:#x}, where the original does not come: it is at {plain.pc:#x}")
        except Fault as error:
            raise Wrong(f"goes to {target:#x}, the original stops by {error}") from None
        return target

    @staticmethod
    def _compare_registers(mine, theirs):
        for index, register in enumerate(REGISTERS):
            if mine[index] != theirs[index]:
                name = f"general register {index}" if index < len(GENERAL) else (
                    "flags" if index == len(REGISTERS) - 1 else f"xmm{index - len(GENERAL)}")
                raise Wrong(f"{name} is {theirs[index]:#x} instead of {mine[index]:#x}")

    def _compare_memory(self, slots, function):
        addresses = (self.plain.written.keys() | self.moved.written.keys()) - slots
        different = [address for address in addresses if self.plain.byte(address) != self.moved.byte(address)]
        if not different:
            return
        # The x87 environment tells where its last instruction stood, and that is elsewhere now.
        window = bytes.fromhex(function["before"])[function["entry"] - function["before_at"] :][: function["window"]]
        environment = any(item.mnemonic in ("fnstenv", "fnsave") for item in self.decoder.disasm(window, 0))
        if environment and max(different) - min(different) < 8:
            return
        raise Wrong(f"memory at {min(different):#x} is different")

    def _same_bytes(self, function, code):
        """For what the machine does not know (AVX): the same instructions, with the same operands in memory."""
        window = bytes.fromhex(function["before"])[function["entry"] - function["before_at"] :][: function["window"]]
        place = function["original"]
        if code.startswith(b"\xf3\x0f\x1e\xfa"):  # endbr64, for indirect calls of the moved code
            code, place = code[4:], place + 4
        covered = 0
        for item in self.decoder.disasm(window, function["entry"]):
            if item.group(capstone.CS_GRP_BRANCH_RELATIVE) or item.group(capstone.CS_GRP_CALL):
                return False
            size = item.size
            mine, theirs = bytearray(window[covered : covered + size]), bytearray(code[covered : covered + size])
            if any(operand.type == capstone.x86.X86_OP_MEM and operand.mem.base == capstone.x86.X86_REG_RIP
                   for operand in item.operands):
                # What the displacement means must be the same, so the number must not be.
                field = slice(item.disp_offset, item.disp_offset + 4)
                there = int.from_bytes(theirs[field], "little", signed=True) + place + covered
                here = int.from_bytes(mine[field], "little", signed=True) + item.address
                if here != there:
                    return False
                mine[field] = theirs[field] = bytes(4)
            if mine != theirs:
                return False
            covered += size
        if covered != function["window"]:
            return False
        # Behind them: a jump to where the window ends.
        end = function["entry"] + covered
        back = b"\xe9" + (end - place - covered - 5 & 0xFFFFFFFF).to_bytes(4, "little")
        return code[covered : covered + 5] == back

    def check_arrival(self, function):
        """The patched entry must lead to the detour, with everything as it was; returns what is wrong."""
        place, after = function["entry"], bytes.fromhex(function["after"])
        base = function["before_at"]
        for _ in range(2):
            offset = place - base
            if not 0 <= offset < len(after) - 5:
                return f"the patch leads to {place:#x}"
            if after[offset] == 0xE9:
                place += 5 + int.from_bytes(after[offset + 1 : offset + 5], "little", signed=True)
                break
            if after[offset] != 0xEB:
                return f"the patch begins with {after[offset]:#x}"
            place += 2 + int.from_bytes(after[offset + 1 : offset + 2], "little", signed=True)
        if place != function["stub_at"]:
            return f"the patch leads to {place:#x} instead of the stub at {function['stub_at']:#x}"
        state = random_state(random.Random(function["name"]))
        self.moved.place(function["stub_from"], bytes.fromhex(function["stub"]))
        self.moved.load(state)
        try:
            target = self.moved.run_until_left(place)
            registers = self.moved.registers()
            wrong = [i for i, value in enumerate(registers[:-1]) if value != state[i] and i != R11]
            if target != function["detour"]:
                return f"the stub leads to {target:#x} instead of the detour"
            if wrong or self.moved.written:
                return f"the stub changes registers {wrong} or memory"
        except Fault as error:
            return f"the stub stops by {error}"
        finally:
            self.moved.reset()
        return None
