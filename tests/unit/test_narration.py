"""What `huisheng up` shows of the demonstration accounts."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from cli.demo_accounts import demo_accounts
from cli.narration import _accounts
from tests.city import a_city


def test_a_handful_of_accounts_is_shown_with_their_one_password_and_where_the_others_are(tmp_path: Path) -> None:
    accounts = [
        {
            "username": account.username,
            "password": "one-for-all",
            "roles": list(account.roles),
            "departments": [place.department for place in account.departments],
            "lead": any(place.lead for place in account.departments),
        }
        for account in demo_accounts(a_city(), "hash")
    ]
    file = tmp_path / "demo.json"
    file.write_text(json.dumps({"accounts": accounts}))
    console = Console(width=500)
    with console.capture() as captured:
        console.print(_accounts(file))
    shown = captured.get()

    lines = shown.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")][:5] == [
        "dispatcher", "supervisor", "admin", "housing", "housing_lead",
    ]  # fmt: skip
    assert shown.count("one-for-all") == 1
    assert f"{len(accounts) - 5} more in {file}" in shown
