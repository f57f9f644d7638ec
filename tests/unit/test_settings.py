"""What the environment may say, and what a person reads when it says something wrong."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from settings import Settings, SettingsError

KEY = base64.b64encode(bytes(32)).decode()
ENOUGH = {"DATABASE_URL": "postgresql://name:secret-word@localhost/huisheng", "HUISHENG_KEYS": f"1:{KEY}"}
KANNEL = {
    "HUISHENG_SMS_PROVIDER": "kannel",
    "HUISHENG_KANNEL_URL": "http://localhost:13013/cgi-bin/sendsms",
    "HUISHENG_KANNEL_USER": "huisheng",
    "HUISHENG_KANNEL_PASSWORD": "secret-word",
    "HUISHENG_KANNEL_FROM": "12345",
    "HUISHENG_KANNEL_DLR_SECRET": "0123456789abcdef",
}


def problems_with(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(ENOUGH | variables)
    return refused.value.problems


def test_settings_need_only_the_database_and_the_keys() -> None:
    settings = Settings.from_environment(ENOUGH)
    assert settings.sms_provider == "console"
    assert settings.temporal_address == "127.0.0.1:7233"
    assert settings.api_host == "127.0.0.1"
    assert not settings.demo


def test_settings_name_every_missing_variable_at_once_and_how_to_set_it() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"HUISHENG_SMS_PROVIDER": "kannel"})
    named = [problem.split(" is not set")[0] for problem in refused.value.problems]
    assert named == [*ENOUGH, *list(KANNEL)[1:]]
    assert all("Set it like this: " in problem for problem in refused.value.problems)


def test_settings_ask_for_the_gateway_only_where_it_is_the_provider() -> None:
    assert Settings.from_environment(ENOUGH | KANNEL).kannel_from == "12345"
    assert Settings.from_environment(ENOUGH).kannel_from == ""


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("DATABASE_URL", "mysql://localhost/x", "postgresql://", id="another database"),
        pytest.param("DATABASE_URL", "postgresql://localhost", "postgresql://", id="no database named"),
        pytest.param("HUISHENG_KEYS", KEY, "id of its own", id="a key without an id"),
        pytest.param("HUISHENG_KEYS", f"1:{KEY},1:{KEY}", "id of its own", id="the same id twice"),
        pytest.param("HUISHENG_KEYS", "1:???", "not base64", id="a key that is not base64"),
        pytest.param("HUISHENG_KEYS", "1:AAAA", "has 3 bytes and must have 32", id="a short key"),
        pytest.param("HUISHENG_API_PORT", "0", "1 to 65535", id="port zero"),
        pytest.param("HUISHENG_API_PORT", "65536", "1 to 65535", id="a port too high"),
        pytest.param("HUISHENG_API_PORT", "²", "1 to 65535", id="a digit that is no port"),
        pytest.param("HUISHENG_PUBLIC_URL", "city.example", "http", id="an address without a scheme"),
        pytest.param("HUISHENG_DEMO", "true", "1 for yes", id="a switch in words"),
        pytest.param("HUISHENG_SMS_PROVIDER", "pigeon", "console and kannel", id="an unknown provider"),
        pytest.param("TEMPORAL_ADDRESS", "localhost", "host:7233", id="an address without a port"),
    ],
)
def test_settings_refuse_a_wrong_value_without_repeating_it(name: str, value: str, reason: str) -> None:
    (problem,) = problems_with(**{name: value})
    assert problem.startswith(f"{name} is wrong: ")
    assert reason in problem
    assert value not in problem.removeprefix(name).split()


def test_settings_refuse_a_short_secret_for_receipts() -> None:
    (problem,) = problems_with(**KANNEL | {"HUISHENG_KANNEL_DLR_SECRET": "short"})
    assert "at least 16 characters" in problem


def test_settings_treat_an_empty_variable_as_missing() -> None:
    (problem,) = problems_with(DATABASE_URL="")
    assert problem.startswith("DATABASE_URL is not set.")
    assert Settings.from_environment(ENOUGH | {"HUISHENG_API_PORT": ""}).api_port == 8000


def test_settings_show_no_secret_when_they_are_printed() -> None:
    shown = repr(Settings.from_environment(ENOUGH | KANNEL))
    assert "secret-word" not in shown
    assert KEY not in shown


MODEL = {
    "HUISHENG_SECOND_OPINION_URL": "https://models.city.example/v1/",
    "HUISHENG_SECOND_OPINION_MODEL": "small-1",
    "HUISHENG_SECOND_OPINION_KEY": "secret-word",
}


def test_settings_name_no_language_model_unless_there_is_an_address() -> None:
    assert Settings.from_environment(ENOUGH).second_opinion is None
    assert Settings.from_environment(ENOUGH | {"HUISHENG_SECOND_OPINION_MODEL": "small-1"}).second_opinion is None
    endpoint = Settings.from_environment(ENOUGH | MODEL).second_opinion
    assert endpoint is not None
    assert endpoint.address == "https://models.city.example/v1/chat/completions"
    assert (endpoint.model, endpoint.key, endpoint.seconds, endpoint.tokens_per_day) == (
        "small-1",
        "secret-word",
        4,
        200_000,
    )
    assert "secret-word" not in repr(endpoint)


def test_settings_read_the_key_of_a_language_model_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("word-in-a-file\n")
    local = MODEL | {"HUISHENG_SECOND_OPINION_URL": "http://127.0.0.1:11434/v1", "HUISHENG_SECOND_OPINION_KEY": ""}
    endpoint = Settings.from_environment(
        ENOUGH | local | {"HUISHENG_SECOND_OPINION_KEY_FILE": str(file)}
    ).second_opinion
    assert endpoint is not None
    assert endpoint.key == "word-in-a-file"
    (problem,) = problems_with(**MODEL, HUISHENG_SECOND_OPINION_KEY_FILE=str(file))
    assert "are both set" in problem
    (problem,) = problems_with(**local, HUISHENG_SECOND_OPINION_KEY_FILE=str(tmp_path / "none"))
    assert "cannot be read (FileNotFoundError)" in problem


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("URL", "http://models.city.example/v1", "start with https://", id="texts in the clear"),
        pytest.param("URL", "http://127.0.0.1.city.example/v1", "start with https://", id="looks like this machine"),
        pytest.param("URL", "https://name:word@models.city.example/v1", "neither a name", id="a password in it"),
        pytest.param("URL", "https://models.city.example/v1?key=x", "question mark", id="a key in it"),
        pytest.param("URL", "file:///v1", "http", id="no address of the web"),
        pytest.param("MODEL", "two words", "letters, digits", id="a name with a blank"),
        pytest.param("KEY", "one two", "one word", id="a key with a blank"),
        pytest.param("SECONDS", "60", "0.1 to 8", id="longer than the step may take"),
        pytest.param("SECONDS", "nan", "0.1 to 8", id="no number"),
        pytest.param("TOKENS_PER_DAY", "-1", "whole number", id="less than nothing"),
    ],
)
def test_settings_refuse_a_language_model_that_is_not_safe_or_makes_no_sense(
    name: str, value: str, reason: str
) -> None:
    (problem,) = problems_with(**MODEL | {f"HUISHENG_SECOND_OPINION_{name}": value})
    assert problem.startswith(f"HUISHENG_SECOND_OPINION_{name} is wrong: ")
    assert reason in problem
    assert value not in problem


def test_settings_want_the_name_of_the_model_with_its_address() -> None:
    (problem,) = problems_with(HUISHENG_SECOND_OPINION_URL="https://models.city.example/v1")
    assert problem.startswith("HUISHENG_SECOND_OPINION_MODEL is not set.")
