"""Asks the vulnerability database of PyPI about every package of a lock file, and never takes silence for an answer.

Exit code 0: every package was looked up, none has a known vulnerability. 1: some have. 3: the database did not answer, or
not about all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 3
SECONDS_TO_ANSWER = 15


def verdict(dependencies: Iterable[dict[str, Any]]) -> tuple[int, str]:
    """The exit code and the sentences, of what pip-audit reports."""
    found = list(dependencies)
    skipped = [each["name"] for each in found if "skip_reason" in each]
    vulnerable = [_line(each) for each in found if each.get("vulns")]
    if vulnerable:
        return VULNERABLE, "\n".join([f"{len(vulnerable)} packages have known vulnerabilities:", *vulnerable])
    if not found or skipped:
        return NOT_ASKED, (
            f"NOT AUDITED: the vulnerability database told nothing of {len(skipped)} of {len(found)} packages"
            f"{': ' + ', '.join(skipped[:5]) if skipped else ''}{' ...' if len(skipped) > 5 else ''}."
            " It lies with the Python Package Index: is that reachable from here?"
        )
    return CLEAN, f"{len(found)} packages were looked up; none has a known vulnerability."


def _line(package: dict[str, Any]) -> str:
    known = ", ".join(
        f"{each['id']} (mended in {', '.join(each['fix_versions']) or 'no version yet'})" for each in package["vulns"]
    )
    return f"  {package['name']} {package['version']}: {known}"


def main(lock: Path) -> int:
    asked = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--no-deps", "--disable-pip", "--format", "json",
            "--progress-spinner", "off", "--timeout", str(SECONDS_TO_ANSWER),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        dependencies = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        last_words = asked.stderr.strip().rpartition("\n")[2]
        code, said = NOT_ASKED, f"NOT AUDITED: the vulnerability database did not answer. {last_words}"
    else:
        code, said = verdict(dependencies)
    sys.stdout.write(f"{said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
