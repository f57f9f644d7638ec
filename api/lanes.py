"""Which requests to the interface go before which when there are more than it can answer: the lanes, and who belongs where.

What a citizen sends comes first: it may be the only time that they say it. Staff who act come next, because somebody waits for
them; then citizens who look; then lists; last of all reports and searches, which cost the most and can be asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """How many are answered at once, how many may wait, and for how long. While one of the lanes in `after` has somebody
    waiting, no more than `always` of this one are answered: few, but nobody is shut out for as long as a storm lasts. A lane
    that waits for somebody else lets in fewer, down to `least`, while answers take longer than `slow` seconds."""

    name: str
    at_once: int
    waiting: int
    patience: float  # seconds
    after: tuple[str, ...] = ()
    always: int = 1
    slow: float | None = None
    least: int = 1


INTAKE = Lane("intake", at_once=16, waiting=160, patience=0.4)
STAFF = Lane("staff", at_once=32, waiting=64, patience=1.0)
ACTIONS = Lane("actions", at_once=128, waiting=64, patience=1.0, slow=3.0, least=24)
"""An action waits for Temporal, for up to ten seconds, and holds nothing meanwhile: so many at once are no burden. But when Temporal
is slow, some who wait for it are enough to see when it is quick again, and all others hear at once that it is too much. With
four, half of two actions a second were put off in a flood, though it was not they that kept Temporal busy."""
CITIZENS = Lane("citizens", at_once=12, waiting=128, patience=1.0, after=("intake",), always=2)
PHOTOS = Lane("photos", at_once=4, waiting=16, patience=2.0)
"""They come slowly, and are drawn anew one at a time; nobody but their senders waits for them."""
LISTS = Lane("lists", at_once=6, waiting=32, patience=1.0, after=("intake", "staff"))
REPORTS = Lane("reports", at_once=2, waiting=8, patience=1.0, after=("intake", "staff", "citizens"))

LANES = (INTAKE, STAFF, ACTIONS, CITIZENS, PHOTOS, LISTS, REPORTS)
"""The first in line first."""

_UNHINDERED = frozenset({"/healthz", "/readyz", "/metrics"})
_CITIZENS = "/api/v1/requests"
_STAFF = "/api/v1/staff/requests"
_REPORTS = (
    "/api/v1/staff/rates", "/api/v1/staff/topics", "/api/v1/staff/outbox", "/api/v1/similar-answers",
    "/staff/numbers", "/codec/", "/docs", "/openapi.json",
)  # fmt: skip
_SEARCHES = ("/candidates", "/precedents", "/past-answers")
_WORDS = frozenset({"supplement", "answer", "urge", "withdraw", "rate", "reopen", "erase"})


def lane_of(method: str, path: str) -> Lane | None:
    """None for what is never held up: the signs of life, and the figures by which an overload is seen."""
    if path in _UNHINDERED:
        return None
    if path.endswith("/attachments") and method == "POST":
        return PHOTOS
    if path.startswith(_REPORTS) or path.endswith(_SEARCHES):
        return REPORTS
    if path.startswith("/gateways/"):
        return INTAKE
    if path.startswith(("/staff", "/api/v1/staff", "/api/v1/sessions")):
        return _of_staff(method, path)
    return _of_citizens(method, path)


def _of_staff(method: str, path: str) -> Lane:
    """Who submits for a caller on the phone does what a citizen does."""
    if method in ("GET", "HEAD"):
        return LISTS
    if "/actions/" in path:
        return ACTIONS
    return INTAKE if path in (_STAFF, f"{_STAFF}/quick-log") else STAFF


def _of_citizens(method: str, path: str) -> Lane:
    sends = method == "POST" and (path in (_CITIZENS, "/") or _last_word(path) in _WORDS)
    return INTAKE if sends else CITIZENS


def _last_word(path: str) -> str:
    return path.rpartition("/")[2]
