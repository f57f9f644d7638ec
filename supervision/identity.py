"""As whom PostgreSQL runs: it refuses to run as root, so root lends it another account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from supervision.errors import GroundUnusable

# "postgres" exists where Debian's server was ever installed; "nobody" exists everywhere.
ACCOUNTS = ("postgres", "nobody")

# The account may be unable to enter the folders above the environment or the data (a clone in /root, a private temporary
# folder). One capability lets it pass through, without copying the server or loosening anybody's folders.
# The first only reads and passes; the second, which containers grant more often, writes too.
# The securebit keeps access(2) honest about it: PostgreSQL looks for its own binaries with that call.
CAPABILITIES = ("dac_read_search", "dac_override")


@dataclass(frozen=True, slots=True)
class Identity:
    """`prefix` goes before the command; files that the process is to own belong to `uid` and `gid`."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def take(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def identity_for(program: Path, home: Path) -> Identity:
    """Who may run `program` with its data in `home` (an existing folder); GroundUnusable when root finds nobody."""
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    if shutil.which("setpriv") is None:
        raise GroundUnusable(
            "PostgreSQL does not run as root, and the program setpriv (package util-linux), which lends it another "
            "account, is missing. Install it, or run this as an ordinary user."
        )
    account = _account()
    for capability in (None, *CAPABILITIES):
        identity = Identity(account.pw_uid, account.pw_gid, _prefix(account, capability))
        if _can_run(identity, program, home):
            return identity
    raise GroundUnusable(
        f"PostgreSQL does not run as root, and the account {account.pw_name} cannot reach {program} or {home}. Let it "
        f"enter the folders above them (chmod o+x), put them elsewhere, or run this as an ordinary user."
    )


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise GroundUnusable(
        f"PostgreSQL does not run as root, and none of the accounts {', '.join(ACCOUNTS)} exists here. Run this as an "
        f"ordinary user, or make one of them."
    )


def _prefix(account: pwd.struct_passwd, capability: str | None) -> tuple[str, ...]:
    switch = ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    # Changing the account forgets the tie to the supervisor (launch.py), so setpriv makes it again.
    tie = ("--pdeathsig=INT", "--")
    if capability is None:
        return (*switch, *tie)
    lend = (f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--securebits=+no_setuid_fixup")
    return (*switch, *lend, *tie)


def _can_run(identity: Identity, program: Path, home: Path) -> bool:
    # PostgreSQL itself complains about a binary that access(2) cannot see, and goes on; so silence counts.
    return _quietly(identity, [str(program), "--version"]) and _quietly(identity, ["/bin/ls", str(home)])


def _quietly(identity: Identity, command: Sequence[str]) -> bool:
    result = subprocess.run([*identity.prefix, *command], capture_output=True, cwd="/", check=False)
    return result.returncode == 0 and not result.stderr
