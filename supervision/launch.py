"""The last step before a part's own program: it ties the part's life to the supervisor's, then becomes that program.

Run as a script, `python -I -S launch.py PARENT DEATH_SIGNAL NICENESS PROGRAM...`: a process of its own does
between fork and exec what is not safe to do inside a fork of a program with threads. Standard library only, so that it starts in
some 15 milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def launch(parent: int, death_signal: int, niceness: int, program: list[str]) -> None:
    """Becomes `program`, to which the kernel sends `death_signal` if `parent` dies, even of SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            # The supervisor died before the tie was made: nobody would ever stop us.
            sys.exit(1)
    if niceness:
        os.nice(niceness)
    os.execvp(program[0], program)  # nosec B606 - no shell, because none is wanted; the supervisor wrote the list


if __name__ == "__main__":
    launch(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
