"""Outgoing texts: strict about their placeholders, and every text of the demonstration city rendered."""

from __future__ import annotations

import re

import pytest

from domain.notices import NoticeKind
from domain.sms import count_parts
from domain.texts import TextFault, allowed_placeholders, notice_text, placeholders, render, timeline_text
from policies.loader import load_folder
from settings import DEFAULT_POLICY_DIRECTORY

DEMO = load_folder(DEFAULT_POLICY_DIRECTORY)
LINK = "https://echo.example/r/2611-0000-00010/0123456789abcdef0123456789abcdef"
QUESTION = "https://echo.example/q/2611-0000-00010/0123456789abcdef012345"
VALUES = {
    "zh": {
        "reference": "2611-0000-00010", "city": "回声市", "state": "办理中", "link": LINK, "staff_link": LINK[:44],
        "department": "住房和城乡建设局", "previous_department": "公用事业服务中心", "category": "路灯不亮",
        "due": "11月30日 17:30", "level": "2", "target": "公安机关（110）", "reason_name": "诉讼、仲裁或行政复议事项",
        "route": "请向人民法院、仲裁机构或行政复议机关提出", "code": "482913", "answer_due": "11月28日 9:00", "answer_link": QUESTION,
        "review": "12月1日", "people": "12", "days": "7", "co_department": "公用事业服务中心",
    },
    "en": {
        "reference": "2611-0000-00010", "city": "Echo City", "state": "being worked on", "link": LINK, "staff_link": LINK[:44],
        "department": "Transport Bureau", "previous_department": "Public Utilities Service", "category": "Street light out",
        "due": "30 Nov 17:30", "level": "2", "target": "Police (110)", "reason_name": "Private dispute",
        "route": "Call 12348 for legal advice", "code": "482913", "answer_due": "28 Nov 09:00", "answer_link": QUESTION,
        "review": "1 Dec", "people": "12", "days": "7", "co_department": "Public Utilities Service",
    },
}  # fmt: skip
EVERY_TEXT = [(language, kind) for language in DEMO.city.languages for kind in NoticeKind]


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_every_notice_is_a_short_message_with_all_its_values(language: str, kind: NoticeKind) -> None:
    allowed = {name: value for name, value in VALUES[language].items() if name in allowed_placeholders(kind)}
    text = notice_text(DEMO, language, kind, "sms", allowed)
    assert not re.search(r"[{}]|\n", text)
    assert allowed["city"] in text
    assert VALUES[language]["code" if kind is NoticeKind.ONE_TIME_CODE else "reference"] in text
    assert count_parts(text) <= 3, f"{count_parts(text)} parts: {text}"
    if language == "zh":
        assert len(text.replace(LINK, "").replace(QUESTION, "").replace(LINK[:44], "")) <= 140


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_notice_reads_well_while_little_is_known_of_the_request(language: str, kind: NoticeKind) -> None:
    always = ("reference", "city", "state", "link", "staff_link", "level", "code", "answer_link", "people", "days")
    known = {name: VALUES[language][name] for name in always}
    text = notice_text(DEMO, language, kind, "sms", {**known, "department": "", "due": ""})
    assert "  " not in text
    assert "None" not in text


@pytest.mark.parametrize("kind", NoticeKind)
def test_link_that_opens_a_request_stands_in_no_text_for_staff(kind: NoticeKind) -> None:
    assert not {"link", "staff_link"} <= allowed_placeholders(kind)


@pytest.mark.parametrize("language", DEMO.city.languages)
def test_every_line_of_the_timeline_renders_with_nothing_but_words_for_what_is_missing(language: str) -> None:
    for kind in DEMO.texts[language].timeline:
        assert timeline_text(DEMO, language, kind, {"level": "1"})


def test_placeholders_are_filled_in_and_doubled_braces_stay() -> None:
    assert render("{reference} is {{new}}\n", {"reference": "R1", "other": "x"}) == "R1 is {new}"
    assert placeholders("{a} {b} {a}") == {"a", "b"}


@pytest.mark.parametrize(
    ("template", "values", "fault"),
    [
        pytest.param("{reference}", {}, "no value for reference", id="missing"),
        pytest.param("{reference}", {"reference": ""}, "no value for reference", id="empty"),
        pytest.param("{b} {a}", {}, "no value for a, b", id="several"),
        pytest.param("{reference", {}, "not closed", id="an open brace"),
        pytest.param("reference}", {}, "brace", id="a lonely brace"),
        pytest.param("{}", {}, "not a placeholder", id="no name"),
        pytest.param("{0}", {}, "not a placeholder", id="a number"),
        pytest.param("{reference.__class__}", {}, "not a placeholder", id="an attribute"),
        pytest.param("{reference[0]}", {}, "not a placeholder", id="an index"),
        pytest.param("{reference!r}", {}, "not a placeholder", id="a conversion"),
        pytest.param("{reference:>10}", {}, "not a placeholder", id="a layout"),
    ],
)
def test_text_that_cannot_be_filled_in_is_refused(template: str, values: dict[str, str], fault: str) -> None:
    with pytest.raises(TextFault, match=fault):
        render(template, values)


def test_value_with_braces_is_taken_as_it_is() -> None:
    assert render("{reference}", {"reference": "{city}"}) == "{city}"


def test_unknown_language_gets_the_first_of_the_city_and_an_unknown_notice_is_a_fault() -> None:
    assert "回声市" in notice_text(DEMO, "fr", "receipt", "sms", VALUES["zh"])
    with pytest.raises(TextFault, match="no text 'farewell'"):
        notice_text(DEMO, "zh", "farewell", "sms", {})
    with pytest.raises(TextFault, match="no text 'receipt' for the channel 'smoke'"):
        notice_text(DEMO, "zh", "receipt", "smoke", {})
    with pytest.raises(TextFault, match="no timeline text"):
        timeline_text(DEMO, "zh", "farewell", {})
