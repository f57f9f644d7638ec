"""The real Temporal UI in a real browser: an admin who is signed in reads what a run holds, and nobody else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.books import calm
from tests.e2e.people import PASSWORD, Caller, Receipt
from tests.e2e.system import LiveSystem, until
from workflows.contract import workflow_id

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs the Debian package chromium"),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def receipt(live: LiveSystem, caller: Caller) -> Receipt:
    receipt = await caller.submit()
    await calm(live, [receipt.reference])
    return receipt


async def a_page_of(browser: Browser, live: LiveSystem, username: str | None) -> Page:
    """The browser of a person who has signed in to the interface; of a stranger without a `username`."""
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(120_000)
    if username is not None:
        await page.goto(f"{live.system.api}/staff/sign-in")
        await page.fill("[name=username]", username)
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_url("**/staff?*")
    return page


async def lets_the_session_through(page: Page, live: LiveSystem) -> None:
    """As docs/runbook.md says it: the development server's UI does so only when it is told in the browser."""
    await page.goto(live.system.temporal_ui)
    await page.locator("[data-testid^=data-encoder-status]").click()
    await page.get_by_text("Use my browser setting").click()
    await page.get_by_label("Codec Server browser endpoint").fill(f"{live.system.api}/codec")
    await page.get_by_text("Include cross-origin credentials").click()
    await page.get_by_role("button", name="Apply").click()


_LETS_THE_SESSION_THROUGH = """
localStorage.setItem("endpoint", '"ENDPOINT"')
localStorage.setItem("includeCredentials", "true")
localStorage.setItem("overrideRemoteCodecConfiguration", "true")
"""
"""What the UI keeps of it."""


async def opens_the_run(page: Page, live: LiveSystem, receipt: Receipt) -> set[int]:
    """What the codec endpoint answered to the page of the run."""
    answers: set[int] = set()
    page.on("response", lambda answer: answers.add(answer.status) if "/codec/decode" in answer.url else None)
    await page.goto(f"{live.system.temporal_ui}/namespaces/default/workflows/{workflow_id(receipt.reference)}")
    await page.get_by_text("look_and_assign").first.wait_for()

    async def is_answered() -> bool:
        return bool(answers)

    await until(is_answered, what="that the UI asks for payloads")
    return answers


async def looks(live: LiveSystem) -> int:
    return int(await live.value("select coalesce(sum(count), 0) from looks where kind = 'payloads'"))


async def test_an_admin_reads_the_run_and_the_looks_are_on_record(
    live: LiveSystem, browser: Browser, receipt: Receipt
) -> None:
    before, page = await looks(live), await a_page_of(browser, live, "admin")
    await lets_the_session_through(page, live)
    assert await opens_the_run(page, live, receipt) == {200}
    await page.get_by_text("accept deadline, first contact deadline").first.wait_for()
    assert f'"{receipt.reference}"' in await page.locator("body").inner_text()
    assert await looks(live) > before


async def test_nobody_else_reads_it(live: LiveSystem, browser: Browser, receipt: Receipt) -> None:
    before = await looks(live)
    for username, status in (("housing", 403), (None, 401)):
        page = await a_page_of(browser, live, username)
        await page.add_init_script(_LETS_THE_SESSION_THROUGH.replace("ENDPOINT", f"{live.system.api}/codec"))
        assert await opens_the_run(page, live, receipt) == {status}, username
        await page.get_by_text("Codec Server could not connect").locator("visible=true").first.wait_for()
        assert f'"{receipt.reference}"' not in await page.locator("body").inner_text(), username
    assert await looks(live) == before
