"""How much of what nobody needs any more may pile up before it is looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PILED_UP = """
import gc
from cli.memory import sweep_memory_seldom

class Run:
    there = most = 0
    def __init__(self):
        self.itself = self
        self.parts = [[] for _ in range(500)]
        Run.there += 1
        Run.most = max(Run.most, Run.there)
    def __del__(self):
        Run.there -= 1

sweep_memory_seldom()
known = [Run() for _ in range(250)]  # as a worker knows them: the oldest makes room, grown old itself
for number in range(3000):
    known[number % len(known)] = Run()
print(Run.most)
"""


def test_runs_that_a_worker_has_let_go_are_freed_before_a_thousand_have_piled_up() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PILED_UP], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120
    )
    assert 250 < int(told.stdout) < 1250
