"""Kannel's smsbox as a provider: how a message is put to it, and what its answers mean (Kannel 1.4.5, gw/smsbox.c).

Kannel knows no idempotency key. What tells whether a message of unclear fate arrived is its delivery report, whose address
carries the id of the attempt. Reports come unsigned, so the address carries a signature of that id as well.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import structlog

from activities.providers.port import Accepted, Answer, Message, Permanent, Temporary, Uncertain
from domain.sms import fits_gsm

RECEIPTS_PATH = "/gateways/kannel/receipts"
DELIVERED, FAILED, BUFFERED, ACCEPTED, REJECTED = 1, 2, 4, 8, 16
ALL_REPORTS = DELIVERED | FAILED | BUFFERED | ACCEPTED | REJECTED
GSM, UCS2 = "0", "2"

# smsbox answers when bearerbox has taken the message, within milliseconds. All of it must end well before the grace of an
# uncertain attempt does.
TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
# A connection that smsbox has closed meanwhile would leave us in doubt whether it read the message. A new one for each
# message fails before anything was said.
LIMITS = httpx2.Limits(max_connections=20, max_keepalive_connections=0)
# smsbox closes its port for some ten seconds whenever bearerbox restarts; these two tries bridge only a blip.
CONNECT_RETRIES = 2

logger = structlog.get_logger(__name__)


def signature(secret: str, attempt_id: UUID) -> str:
    """What proves that a delivery report's address was made here: 128 bits of an HMAC-SHA256, in hex."""
    return hmac.new(secret.encode(), attempt_id.bytes, hashlib.sha256).hexdigest()[:32]


class KannelProvider:
    """Sends by POST with headers: a URL with the number and the text would end in the access log of some proxy."""

    name = "kannel"
    prompt = False

    def __init__(self, url: str, user: str, password: str, sender: str, secret: str, public_url: str) -> None:
        self._url = url
        self._account = {"X-Kannel-Username": user, "X-Kannel-Password": password, "X-Kannel-From": sender}
        self._secret = secret
        self._receipts = public_url + RECEIPTS_PATH
        transport = httpx2.AsyncHTTPTransport(retries=CONNECT_RETRIES, limits=LIMITS)
        # The gateway stands in the city's own network: no proxy of the environment lies in between.
        self._client = httpx2.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)

    async def send(self, message: Message) -> Answer:
        try:
            response = await self._client.post(self._url, headers=self._headers(message), content=message.text.encode())
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            return Temporary("gateway_unreachable")
        except httpx2.TransportError:
            return Uncertain("no_answer")
        answer = meaning(response.status_code, response.text)
        if isinstance(answer, Temporary) and answer.technical:
            logger.error(
                "sms_gateway_misconfigured", provider=self.name, status=response.status_code, reason=answer.reason
            )
        return answer

    async def close(self) -> None:
        await self._client.aclose()

    def _headers(self, message: Message) -> dict[str, str]:
        return self._account | {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-To": message.to,
            "X-Kannel-Coding": GSM if fits_gsm(message.text) else UCS2,
            "X-Kannel-DLR-Mask": str(ALL_REPORTS),
            "X-Kannel-DLR-Url": self._receipt_url(message.attempt_id),
        }

    def _receipt_url(self, attempt_id: UUID) -> str:
        named = urlencode({"attempt": str(attempt_id), "signature": signature(self._secret, attempt_id)})
        return f"{self._receipts}?{named}&type=%d"


def meaning(status: int, body: str) -> Answer:
    """What an answer of smsbox says about the message."""
    match status:
        case 200 | 202:  # "0: Accepted for delivery", "3: Queued for later delivery"
            return Accepted()
        case 400:  # "Number(s) has/have been denied", "Charset or body misformed"
            return Permanent("message_refused")
        case 403 if body.startswith("Not routable"):  # "Not routable. Do not try again."
            return Permanent("not_routable")
        case 401 | 403:  # "Authorization failed for sendsms": not the message's fault
            return Temporary("gateway_refuses_us", technical=True)
        case 503:  # "Temporal failure, try again later.": bearerbox said that it did not take it
            return Temporary("gateway_busy")
        case _ if status >= 500:  # smsbox gives no other; a proxy before it may not know
            return Uncertain("no_clear_answer")
    # 404 "Unknown request.", a redirect, anything else: that is no sendsms address
    return Temporary("gateway_misconfigured", technical=True)
