"""What a part of the system is told from outside: the environment variables, their defaults, and what is wrong with them.

Temporal's address and namespace are read here for display and checks; the connection itself is made by the Temporal
client's own environment configuration (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*).
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, cast
from urllib.parse import urlsplit

SmsProvider = Literal["console", "kannel"]

DEFAULT_POLICY_DIRECTORY = Path(__file__).resolve().parent / "policies" / "demo"

_EXAMPLES = {
    "DATABASE_URL": "postgresql://name:password@host:5432/huisheng",
    "HUISHENG_KEYS": "1:<32 random bytes in base64>",
    "HUISHENG_KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "HUISHENG_KANNEL_USER": "<the username of Kannel's sendsms-user>",
    "HUISHENG_KANNEL_PASSWORD": "<the password of Kannel's sendsms-user>",  # nosec B105 - an example
    "HUISHENG_KANNEL_FROM": "12345",
    "HUISHENG_KANNEL_DLR_SECRET": "<a long random word>",  # nosec B105 - an example
    "HUISHENG_SECOND_OPINION_MODEL": "<the name of the model at that endpoint>",
}

_Value = TypeVar("_Value")


class SettingsError(Exception):
    """One or more environment variables are missing or wrong; each problem names its variable and says how to set it."""

    code = "settings_invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, repr=False)
class ModelEndpoint:
    """A language model for second opinions. `url` is the base, as in https://models.city.example/v1; without a `key` none
    is sent. It has `seconds` to answer, and `tokens_per_day` for questions and answers of all workers together."""

    url: str
    model: str
    key: str
    seconds: float
    tokens_per_day: int

    @property
    def address(self) -> str:
        return f"{self.url}/chat/completions"


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """`keys` is the ring of column encryption keys, "id:base64,id:base64": the first encrypts, all of them decrypt."""

    database_url: str
    keys: str
    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str
    public_url: str
    api_host: str
    api_port: int
    sms_provider: SmsProvider
    kannel_url: str
    kannel_user: str
    kannel_password: str
    kannel_from: str
    kannel_dlr_secret: str
    policy_dir: Path
    demo: bool
    second_opinion: ModelEndpoint | None
    metrics_token: str
    worker_metrics: str

    def __repr__(self) -> str:
        # A repr ends in logs and tracebacks, so it holds no key, password or database address.
        return f"Settings(public_url={self.public_url!r}, sms_provider={self.sms_provider!r}, demo={self.demo})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads all variables; raises SettingsError with every problem at once, never only the first."""
        variables = _Variables(os.environ if environment is None else environment)
        provider = variables.get("HUISHENG_SMS_PROVIDER", "console", _sms_provider)
        kannel = variables.require if provider == "kannel" else variables.get_or_empty
        settings = cls(
            database_url=variables.require("DATABASE_URL", _database_url),
            keys=variables.require("HUISHENG_KEYS", _key_ring),
            temporal_address=variables.get("TEMPORAL_ADDRESS", "127.0.0.1:7233", _address),
            temporal_namespace=variables.get("TEMPORAL_NAMESPACE", "default", str),
            temporal_ui_url=variables.get("HUISHENG_TEMPORAL_UI_URL", "http://127.0.0.1:8233", _web_address),
            public_url=variables.get("HUISHENG_PUBLIC_URL", "http://127.0.0.1:8000", _web_address),
            api_host=variables.get("HUISHENG_API_HOST", "127.0.0.1", str),
            api_port=variables.get("HUISHENG_API_PORT", "8000", _port),
            sms_provider=provider,
            kannel_url=kannel("HUISHENG_KANNEL_URL", _web_address),
            kannel_user=kannel("HUISHENG_KANNEL_USER", str),
            kannel_password=kannel("HUISHENG_KANNEL_PASSWORD", str),
            kannel_from=kannel("HUISHENG_KANNEL_FROM", str),
            kannel_dlr_secret=kannel("HUISHENG_KANNEL_DLR_SECRET", _long_secret),
            policy_dir=variables.get("HUISHENG_POLICY_DIR", str(DEFAULT_POLICY_DIRECTORY), Path),
            demo=variables.get("HUISHENG_DEMO", "0", _switch),
            second_opinion=_second_opinion(variables),
            metrics_token=variables.get_or_empty("HUISHENG_METRICS_TOKEN", _long_word),
            worker_metrics=variables.get_or_empty("HUISHENG_WORKER_METRICS", _address),
        )
        if settings.worker_metrics and not settings.metrics_token and not is_this_machine(settings.worker_metrics):
            variables.problems.append(
                "HUISHENG_WORKER_METRICS can be reached from other machines, so HUISHENG_METRICS_TOKEN must be set as well."
            )
        if variables.problems:
            raise SettingsError(variables.problems)
        return settings


class _Variables:
    """Reads one variable at a time and collects what is wrong, so that one start shows all of it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def get(self, name: str, default: str, parse: Callable[[str], _Value]) -> _Value:
        return self._parsed(name, self._environment.get(name) or default, parse)

    def get_or_empty(self, name: str, parse: Callable[[str], str]) -> str:
        text = self._environment.get(name)
        return self._parsed(name, text, parse) if text else ""

    def require(self, name: str, parse: Callable[[str], str]) -> str:
        text = self._environment.get(name)
        if text:
            return self._parsed(name, text, parse)
        self.problems.append(f"{name} is not set. Set it like this: {name}='{_EXAMPLES[name]}'")
        return ""

    def _parsed(self, name: str, text: str, parse: Callable[[str], _Value]) -> _Value:
        try:
            return parse(text)
        except ValueError as error:
            # The value itself stays unsaid: it may be a secret.
            self.problems.append(f"{name} is wrong: {error}.")
            # Never seen by a caller: from_environment raises as soon as there is a problem.
            return cast(_Value, None)


def _second_opinion(variables: _Variables) -> ModelEndpoint | None:
    """None without a URL: then no text leaves the city."""
    url = variables.get_or_empty("HUISHENG_SECOND_OPINION_URL", _safe_address)
    wanted = variables.require if url else variables.get_or_empty
    key = variables.get_or_empty("HUISHENG_SECOND_OPINION_KEY", _header_word)
    from_file = variables.get_or_empty("HUISHENG_SECOND_OPINION_KEY_FILE", _word_in_file)
    if key and from_file:
        variables.problems.append(
            "HUISHENG_SECOND_OPINION_KEY and HUISHENG_SECOND_OPINION_KEY_FILE are both set: keep one of them."
        )
    endpoint = ModelEndpoint(
        url=url,
        model=wanted("HUISHENG_SECOND_OPINION_MODEL", _model_name),
        key=key or from_file,
        seconds=variables.get("HUISHENG_SECOND_OPINION_SECONDS", "4", _seconds_to_answer),
        tokens_per_day=variables.get("HUISHENG_SECOND_OPINION_TOKENS_PER_DAY", "200000", _tokens),
    )
    return endpoint if url else None


def _database_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError("it should look like postgresql://name:password@host:5432/database")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it should start with http:// or https:// and name a host")
    return text.rstrip("/")


def _safe_address(text: str) -> str:
    """Texts of citizens go there: encrypted, or not out of this machine."""
    parts = urlsplit(_web_address(text))
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(
            "it should hold neither a name or password nor a question mark; the key has a variable of its own"
        )
    if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
        raise ValueError("it should start with https://; http:// is for this machine alone")
    return text.rstrip("/")


def is_this_machine(address: str) -> bool:
    """Whether host:port is reached from nowhere else."""
    return _is_this_machine(address.rpartition(":")[0].strip("[]"))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _header_word(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a key is one word of ASCII characters")
    return text


def _word_in_file(path: str) -> str:
    try:
        return _header_word(Path(path).read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"that file cannot be read ({type(error).__name__})") from error


def _model_name(text: str) -> str:
    # It stands in the timeline of requests.
    if not re.fullmatch(r"[A-Za-z0-9][\w./:@+-]{0,99}", text, re.ASCII):
        raise ValueError("the name of a model has at most 100 letters, digits and ./:@+-_")
    return text


def _seconds_to_answer(text: str) -> float:
    # The step that asks has ten seconds, and needs some of them for the database.
    if not re.fullmatch(r"\d{1,2}(\.\d{1,3})?", text, re.ASCII) or not 0.1 <= float(text) <= 8:
        raise ValueError("it should be a number of seconds from 0.1 to 8")
    return float(text)


def _tokens(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII):
        raise ValueError("it should be a whole number of tokens, 0 to ask nothing")
    return int(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError("it should look like host:7233")
    _port(port)
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError("a port is a number from 1 to 65535")
    return int(text)


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("it should be 1 for yes or 0 for no")
    return text == "1"


def _sms_provider(text: str) -> SmsProvider:
    if text == "console":
        return "console"
    if text == "kannel":
        return "kannel"
    raise ValueError("the SMS providers are console and kannel")


def _long_secret(text: str) -> str:
    # Receipts arrive unsigned; this word in their address is all that proves where they come from.
    if len(text) < 16:
        raise ValueError("a secret has at least 16 characters")
    return text


def _long_word(text: str) -> str:
    return _header_word(_long_secret(text))


def _key_ring(text: str) -> str:
    entries = [entry.partition(":") for entry in text.split(",")]
    # Without its colon the first part would be the key itself, and the problems below name the first part.
    identifiers = [identifier if colon else "" for identifier, colon, _ in entries]
    if not all(identifiers) or len(set(identifiers)) < len(identifiers):
        raise ValueError("each key needs an id of its own, as in id:base64,id:base64")
    for identifier, _, encoded in entries:
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as error:  # binascii.Error, or what is not even ASCII
            raise ValueError(f"key {identifier} is not base64") from error
        if len(key) != 32:
            raise ValueError(f"key {identifier} has {len(key)} bytes and must have 32")
    return text
