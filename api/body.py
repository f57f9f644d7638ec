"""Reading a JSON body by hand, where the address decides which model it must fit."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from api.errors import Malformed, UnsupportedMedia

_NO_BODY: dict[str, Any] = {}


async def read_json(request: Request) -> Any:
    """The body; an absent one counts as {}. Raises Malformed and UnsupportedMedia."""
    sent = await request.body()
    if not sent.strip():
        return _NO_BODY
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMedia("Please send JSON, with the header Content-Type: application/json.")
    try:
        return json.loads(sent)
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON. Please send one JSON object.") from None
