"""Small disks of our own for the data of the servers, which can be filled to the last byte and emptied again at once.

They are memory file systems, mounted where nobody but this program and what it starts can see them, so that they vanish with
it, however it ends. Filling one is making it as small as what it holds.
"""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chaos.clock import NotPossible

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_REC, _MS_PRIVATE = 2, 4, 32, 16384, 1 << 18
_MNT_DETACH = 2
_TRIES = 50


def see_mounts_alone() -> None:
    """From now on mounts are this program's own. Call it before there are threads. Raises NotPossible."""
    if not hasattr(ctypes.CDLL(None), "unshare"):
        raise NotPossible("only Linux has mounts for a single program")
    user, group = os.getuid(), os.getgid()
    is_root = user == 0
    _call("unshare", _CLONE_NEWNS | (0 if is_root else _CLONE_NEWUSER))
    if not is_root:
        # In a space of its own an ordinary account may mount; there it stays who it is.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)


def unmount(folder: Path) -> None:
    """What was mounted there is gone with all that it holds; nothing happens where nothing was."""
    with suppress(NotPossible):
        _call("umount2", os.fsencode(folder), _MNT_DETACH)


@dataclass(frozen=True, slots=True)
class Disk:
    """A memory file system on that folder."""

    folder: Path
    size_bytes: int

    def mount(self) -> None:
        """Raises NotPossible."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mount(_MS_NOSUID | _MS_NODEV, self.size_bytes)

    def fill(self) -> None:
        """Whoever writes now is told that no space is left."""
        for _ in range(_TRIES):
            told = os.statvfs(self.folder)
            try:
                self._mount(_MS_REMOUNT | _MS_NOSUID | _MS_NODEV, (told.f_blocks - told.f_bfree) * told.f_frsize)
            except NotPossible:
                time.sleep(0.002)  # it has grown meanwhile
            else:
                if self.is_full():  # nothing was deleted meanwhile
                    return
        self.make_room()
        raise NotPossible(f"{self.folder.name} changes too fast to be filled")

    def is_full(self) -> bool:
        return os.statvfs(self.folder).f_bavail == 0

    def make_room(self) -> None:
        self._mount(_MS_REMOUNT | _MS_NOSUID | _MS_NODEV, self.size_bytes)

    def _mount(self, flags: int, size_bytes: int) -> None:
        options = f"size={size_bytes},mode=755".encode()
        _call("mount", b"chaos", os.fsencode(self.folder), b"tmpfs", flags, options)


def _call(name: str, *arguments: object) -> None:
    """A function of the C library that gives 0 when all is well."""
    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, name)
    if name == "mount":
        function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
    if function(*arguments):
        raise NotPossible(f"this account may not mount disks of its own ({os.strerror(ctypes.get_errno())})")
