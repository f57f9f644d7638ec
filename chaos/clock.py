"""The clock of one running program set back, while those of all others go on: true for any program, in whatever language.

A program asks for the time through a page of the kernel's that is mapped into it (the vDSO). Here its functions are overwritten,
in this program's own copy of the page, by a few instructions that ask the kernel and add an offset. Whatever it starts as a
fork (PostgreSQL's sessions) goes by the same clock. Timers of the kernel and the monotonic clock, which no administrator can
set either, go on as they were. Linux on x86-64 only; elsewhere `NotPossible` says so.
"""

from __future__ import annotations

import os
import platform
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import psutil

from supervision import processes

_CLOCK_GETTIME, _GETTIMEOFDAY, _TIME = b"__vdso_clock_gettime", b"__vdso_gettimeofday", b"__vdso_time"
_TRIES = 50
_SHT_DYNSYM = 11


class NotPossible(Exception):
    """This machine or account does not allow it; the sentence says why."""


def code_for(name: bytes, offset: int) -> bytes:
    """What stands in that function's place: a call of the kernel, and `offset` seconds added to what it says."""
    seconds = struct.pack("<i", offset)
    return {
        # mov eax, 228; syscall; test edi, edi (the realtime clock?); jne over; add qword [rsi], seconds; ret
        _CLOCK_GETTIME: b"\xb8\xe4\0\0\0\x0f\x05\x85\xff\x75\x07\x48\x81\x06" + seconds + b"\xc3",
        # mov eax, 96; syscall; test rdi, rdi (a place for it?); je over; add qword [rdi], seconds; ret
        _GETTIMEOFDAY: b"\xb8\x60\0\0\0\x0f\x05\x48\x85\xff\x74\x07\x48\x81\x07" + seconds + b"\xc3",
        # mov eax, 201; syscall; add rax, seconds; test rdi, rdi; je over; mov [rdi], rax; ret
        _TIME: b"\xb8\xc9\0\0\0\x0f\x05\x48\x05" + seconds + b"\x48\x85\xff\x74\x03\x48\x89\x07\xc3",
    }[name]


Code = dict[bytes, tuple[int, bytes]]
"""Functions by name: how far into the page each begins, and what stands there."""


def set_back(pid: int, seconds: float) -> None:
    """The program and its children think that it is so many seconds earlier. Raises NotPossible."""
    _write(pid, {name: (at, code_for(name, -round(seconds))) for name, (at, _) in _functions().items()})


def set_right(pid: int) -> None:
    """They go by the machine's clock again."""
    _write(pid, _functions())


def is_possible() -> bool:
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def is_behind(pid: int, seconds: float) -> bool:
    """Whether the program goes by a clock that was set back so far."""
    code = {name: (at, code_for(name, -round(seconds))) for name, (at, _) in _functions().items()}
    try:
        begins, _ = _mapped(pid)
        with open(f"/proc/{pid}/mem", "rb") as memory:
            return all(_stands_at(memory, begins + at, told) for at, told in code.values())
    except (OSError, NotPossible):
        return False


def _stands_at(memory: BinaryIO, at: int, told: bytes) -> bool:
    memory.seek(at)
    return memory.read(len(told)) == told


def _write(pid: int, code: Code) -> None:
    """In all of them, also where one of them does not let it be done: that is said at the end."""
    stopped: list[psutil.Process] = []
    failed: list[NotPossible] = []
    try:
        for process in _tree(pid):
            with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                stopped.append(process)
                try:
                    _stop(process, code)
                    _overwrite(process.pid, code)
                except NotPossible as error:
                    if processes.is_alive(process):
                        failed.append(error)
    except PermissionError as error:
        raise NotPossible("this account may not write to the memory of other programs") from error
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
    if failed:
        raise failed[0]


def _tree(pid: int) -> Iterator[psutil.Process]:
    """The parent first: when its children are listed it stands still and starts no more."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)


def _stop(process: psutil.Process, code: Code) -> None:
    """Stops it where no thread is just inside of what is about to be overwritten."""
    for _ in range(_TRIES):
        process.send_signal(signal.SIGSTOP)
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(0.001)
        begins, _ = _mapped(process.pid)
        places = [(begins + at, begins + at + len(told)) for at, told in code.values()]
        if not any(start < at < end for at in _places_of_threads(process.pid) for start, end in places):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.002)
    raise NotPossible("the program asks for the time without a pause")


def _places_of_threads(pid: int) -> list[int]:
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with suppress(OSError, ValueError), open(f"/proc/{pid}/task/{task}/syscall") as file:
            found.append(int(file.read().split()[-1], 16))
    return found


def _overwrite(pid: int, code: Code) -> None:
    begins, _ = _mapped(pid)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        for at, instructions in code.values():
            memory.seek(begins + at)
            memory.write(instructions)


def _mapped(pid: int | str) -> tuple[int, int]:
    with open(f"/proc/{pid}/maps") as file:
        for line in file:
            if line.rstrip().endswith("[vdso]"):
                begins, _, ends = line.split()[0].partition("-")
                return int(begins, 16), int(ends, 16)
    raise NotPossible("the program has no page of the kernel's to ask for the time")


def _functions() -> Code:
    """Where the functions begin, and as much of each as is overwritten: from our own copy of the page, which nobody changes."""
    begins, ends = _mapped("self")
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(begins)
        page = memory.read(ends - begins)
    wanted = {name: len(code_for(name, 0)) for name in (_CLOCK_GETTIME, _GETTIMEOFDAY, _TIME)}
    return {name: (at, page[at : at + wanted[name]]) for name, at in _symbols(page) if name in wanted}


def _symbols(page: bytes) -> list[tuple[bytes, int]]:
    """Names and places of what the page offers (ELF, 64 bits, little-endian)."""
    (table,) = struct.unpack_from("<Q", page, 0x28)
    size, count = struct.unpack_from("<HH", page, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", page, table + size * number) for number in range(count)]
    symbols = next(each for each in sections if each[1] == _SHT_DYNSYM)
    names = sections[symbols[6]][4]
    found = []
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", page, at)
        found.append((page[names + name : page.index(b"\0", names + name)], value))
    return found
