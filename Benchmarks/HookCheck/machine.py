# SPDX-License-Identifier: Apache-2.0
"""An emulated processor with the memory of a library, in which a function's beginning can be run in two places."""

import random
import struct

import unicorn
from unicorn import x86_const as x86

PAGE = 4096
GENERAL = [
    x86.UC_X86_REG_RAX, x86.UC_X86_REG_RBX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_RDX,
    x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDI, x86.UC_X86_REG_RBP, x86.UC_X86_REG_RSP,
    x86.UC_X86_REG_R8, x86.UC_X86_REG_R9, x86.UC_X86_REG_R10, x86.UC_X86_REG_R11,
    x86.UC_X86_REG_R12, x86.UC_X86_REG_R13, x86.UC_X86_REG_R14, x86.UC_X86_REG_R15,
]
RSP, R11 = GENERAL.index(x86.UC_X86_REG_RSP), GENERAL.index(x86.UC_X86_REG_R11)
VECTORS = [x86.UC_X86_REG_XMM0 + i for i in range(16)]
FLAGS = x86.UC_X86_REG_EFLAGS
STATUS = 0x8D5  # carry, parity, adjust, zero, sign, overflow
REGISTERS = GENERAL + VECTORS + [FLAGS]

ARENA = 0x7E0000000000  # where most pointers point
ARENA_SIZE = 1 << 20
LIMIT = 4000  # instructions after which a run is given up


class Fault(Exception):
    """The code did something that the machine cannot go on from."""

    def __init__(self, error, address):
        super().__init__(f"{error} at {address:#x}")
        self.kind = error.errno
        self.address = address


class Content:
    """What memory holds before a run: the library's bytes where it is, pointers and numbers everywhere else."""

    def __init__(self, segments):
        self.segments = segments  # [(start, bytes)]
        source = random.Random(20)
        words = []
        for _ in range(64 * 1024 // 8):
            choice = source.random()
            if choice < 0.6:
                words.append(ARENA + source.randrange(ARENA_SIZE // 8) * 8)
            elif choice < 0.8:
                words.append(source.randrange(64))
            else:
                words.append(source.getrandbits(64))
        self.pool = struct.pack(f"<{len(words)}Q", *words) * 2

    def page(self, address):
        for start, content in self.segments:
            if start <= address < start + len(content):
                return content[address - start : address - start + PAGE]
        offset = (address // PAGE * 2654435761) % (64 * 1024) & ~7
        return self.pool[offset : offset + PAGE]


class Machine:
    """One processor. Pages come into being when they are touched, and are as before after `reset`."""

    def __init__(self, content, executable):
        """`executable`: whether the library's code may run; a machine for moved code stops when it is left."""
        self.content = content
        self.uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self.dirty = set()
        self.written = {}
        self.code = {}
        data = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        for start, memory in content.segments:
            self.uc.mem_map(start, len(memory), unicorn.UC_PROT_ALL if executable else data)
            self.uc.mem_write(start, memory)
        unmapped = unicorn.UC_HOOK_MEM_READ_UNMAPPED | unicorn.UC_HOOK_MEM_WRITE_UNMAPPED
        self.uc.hook_add(unmapped, self._touch)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._write)
        self.uc.hook_add(unicorn.UC_HOOK_INSN, self._system, None, 1, 0, x86.UC_X86_INS_SYSCALL)
        self.pages = 0

    def _touch(self, uc, _access, address, size, _value, _data):
        try:
            for page in {address & ~(PAGE - 1), (address + size - 1) & ~(PAGE - 1)}:
                try:
                    uc.mem_map(page, PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
                except unicorn.UcError:
                    continue  # the other of two pages was there
                uc.mem_write(page, self.content.page(page))
                self.pages += 1
            return True
        except unicorn.UcError:
            return False

    def _write(self, _uc, _access, address, size, _value, _data):
        self.dirty.add(address & ~(PAGE - 1))
        self.dirty.add((address + size - 1) & ~(PAGE - 1))
        for index in range(size):
            self.written[address + index] = True

    def _system(self, uc, _data):
        uc.reg_write(x86.UC_X86_REG_RAX, 0)

    def place(self, address, code):
        """Puts executable code somewhere, instead of what `place` put there before."""
        first, last = address & ~(PAGE - 1), (address + len(code) - 1) & ~(PAGE - 1)
        for page in range(first, last + PAGE, PAGE):
            if page not in self.code:
                self.uc.mem_map(page, PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
                self.code[page] = True
            self.uc.mem_write(page, b"\xcc" * PAGE)
        self.uc.mem_write(address, code)
        self.uc.ctl_flush_tb()

    def load(self, values):
        self.uc.reg_write_batch(list(zip(REGISTERS, values)))
        self.uc.reg_write(x86.UC_X86_REG_FS_BASE, ARENA + ARENA_SIZE // 2)

    def registers(self):
        values = list(self.uc.reg_read_batch(REGISTERS))
        values[-1] &= STATUS
        return values

    @property
    def pc(self):
        return self.uc.reg_read(x86.UC_X86_REG_RIP)

    def word(self, address):
        try:
            return struct.unpack("<Q", self.uc.mem_read(address, 8))[0]
        except unicorn.UcError:
            return struct.unpack("<Q", self.content_at(address, 8))[0]

    def content_at(self, address, size):
        page = address & ~(PAGE - 1)
        both = self.content.page(page) + self.content.page(page + PAGE)
        return both[address - page : address - page + size]

    def byte(self, address):
        try:
            return self.uc.mem_read(address, 1)[0]
        except unicorn.UcError:
            return self.content_at(address, 1)[0]

    def run_until_left(self, start):
        """Runs placed code until it jumps elsewhere; returns where to."""
        try:
            self.uc.emu_start(start, 0, count=LIMIT)
        except unicorn.UcError as error:
            if error.errno in (unicorn.UC_ERR_FETCH_PROT, unicorn.UC_ERR_FETCH_UNMAPPED):
                return self.pc
            raise Fault(error, self.pc) from None
        raise Fault(unicorn.UcError(unicorn.UC_ERR_OK), self.pc)  # it goes round and round

    def run_until(self, start, end):
        """Runs from one address to another, which may be the same; returns whether it came there."""
        try:
            self.uc.ctl_flush_tb()
            self.uc.emu_start(start, 0, count=1)
            if self.pc == end:
                return True
            self.uc.ctl_flush_tb()
            self.uc.emu_start(self.pc, end, count=LIMIT)
        except unicorn.UcError as error:
            if self.pc == end:
                return True
            raise Fault(error, self.pc) from None
        return self.pc == end

    def reset(self):
        """Makes memory what it was before the last run."""
        for page in self.dirty:
            try:
                self.uc.mem_write(page, self.content.page(page))
            except unicorn.UcError:
                pass  # a write that faulted
        self.dirty.clear()
        self.written.clear()


def random_state(source):
    """Registers as a caller may leave them: mostly pointers, some numbers, any flags."""
    values = []
    for register in GENERAL:
        choice = source.random()
        if register == x86.UC_X86_REG_RSP:
            values.append(ARENA + ARENA_SIZE // 4 + source.randrange(256) * 16 + 8)
        elif register == x86.UC_X86_REG_RCX and choice < 0.5:
            values.append(source.randrange(64))
        elif choice < 0.65:
            values.append(ARENA + source.randrange(ARENA_SIZE // 8) * 8)
        elif choice < 0.85:
            values.append(source.randrange(256))
        else:
            values.append(source.getrandbits(64))
    values += [source.getrandbits(128) for _ in VECTORS]
    values.append(2 | (source.getrandbits(12) & STATUS))
    return values
