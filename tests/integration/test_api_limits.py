"""What is limited for an address is limited for all that one connection has: of IPv6, whatever shares the first 64 bits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.look_up import CODES_OF_ADDRESS, TRIES_OF_ADDRESS
from api.pages.question import WRONG_LINKS
from api.public_answers import ASKED_OF_ADDRESS
from api.sessions import FAILURES_OF_ADDRESS
from tests.interface import Interface, an_interface

ONE_CONNECTION, ANOTHER = "2001:db8:1:2::{:x}", "2001:db8:1:3::1"

LIMITED: list[Any] = [
    # how often an address may, the method, the address, the body; {} is another one each time
    pytest.param(FAILURES_OF_ADDRESS, "POST", "/api/v1/sessions", {"username": "name{}", "password": "x"}, id="signing in"),
    pytest.param(CODES_OF_ADDRESS, "POST", "/api/v1/requests/2611-4829-{}/code", {"phone": "138000{}"}, id="asking for a code"),
    pytest.param(
        TRIES_OF_ADDRESS, "POST", "/api/v1/requests/2611-4829-{}/token", {"phone": "138000{}", "code": "0"}, id="a code"
    ),
    pytest.param(WRONG_LINKS, "GET", "/q/2611-4829-13704/{}", None, id="links of questions"),
    pytest.param(ASKED_OF_ADDRESS, "POST", "/api/v1/similar-answers", {"description": "Dark {}."}, id="answers to the like"),
]  # fmt: skip


@pytest.fixture
async def interface(database_url: str) -> AsyncIterator[Interface]:
    async with an_interface(database_url) as running:
        yield running


@pytest.mark.parametrize(("most", "method", "address", "body"), LIMITED)
async def test_a_connection_gains_nothing_by_changing_its_address(
    interface: Interface, most: int, method: str, address: str, body: dict[str, str] | None
) -> None:
    async def ask(host: str, number: int) -> int:
        sent = {name: value.format(10000 + number) for name, value in body.items()} if body else None
        async with interface.from_address(host) as http:
            return (await http.request(method, address.format(10000 + number), json=sent)).status_code

    for number in range(most):
        assert await ask(ONE_CONNECTION.format(number), number) != 429
    assert await ask(ONE_CONNECTION.format(most), most) == 429
    assert await ask(ANOTHER, most + 1) != 429
