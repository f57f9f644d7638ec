"""Which decisions bear on a request: between the same departments, or in the same category on a like matter."""

from __future__ import annotations

from typing import Any

import pytest

from domain.precedents import MOST_PRECEDENTS, Dispute, bearing_on
from domain.similarity import grams_of

TEXT = "建设路与人民路交叉口的井盖破损，车辆经过时发出很大的声响，住建局和交通局都说不归自己管，请明确由谁负责维修。"
OTHER = "楼下餐馆每天深夜排放油烟，居民不敢开窗，已经多次向社区反映，希望环保部门能够上门检查并督促整改到位。"


def a_dispute(text: str = TEXT, **changes: Any) -> Dispute:
    values: dict[str, Any] = {"category": "manhole", "departments": frozenset({"housing", "traffic"})}
    return Dispute(**(values | {"grams": grams_of(text)} | changes))


NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("label", "decided", "bears"),
    [
        ("same departments, like matter", {}, True),
        ("same departments, another matter", {"text": OTHER, "category": "smoke"}, True),
        ("other departments, like matter", {"departments": frozenset({"housing", "water"})}, True),
        ("other departments, another matter in the category", {"departments": NOBODY, "text": OTHER}, False),
        ("like matter in another category", {"departments": NOBODY, "category": "smoke"}, False),
        ("only one department in common", {"departments": frozenset({"housing", "water"}), "text": OTHER}, False),
        ("its personal data erased", {"text": ""}, True),
        ("erased, and other departments", {"text": "", "departments": NOBODY}, False),
    ],
)
def test_what_bears_on_a_request(label: str, decided: dict[str, Any], bears: bool) -> None:
    assert bool(bearing_on(a_dispute(), [("decided", a_dispute(**decided))])) is bears


def test_one_department_alone_is_no_pair() -> None:
    alone = frozenset({"housing"})
    assert bearing_on(a_dispute("", departments=alone), [("decided", a_dispute("", departments=alone))]) == []
    assert bearing_on(a_dispute("", departments=NOBODY), [("decided", a_dispute("", departments=NOBODY))]) == []


def test_most_telling_comes_first_and_the_rest_is_left_out() -> None:
    decided = [
        ("departments", a_dispute(OTHER, category="smoke")),
        ("departments and category", a_dispute(OTHER)),
        ("text", a_dispute(departments=NOBODY)),
        ("both", a_dispute()),
    ]
    found = bearing_on(a_dispute(), decided)
    assert [name for name, _ in found][2:] == ["departments and category", "departments"]
    assert {name for name, _ in found[:2]} == {"both", "text"}
    assert found[0][1].score == 1.0
    assert len(bearing_on(a_dispute(), decided * 5)) == MOST_PRECEDENTS


def test_reasons_say_why() -> None:
    ((_, found),) = bearing_on(a_dispute(), [("decided", a_dispute(OTHER))])
    assert (found.same_category, found.same_departments) == (True, True)
    assert found.score == 0.5
    assert found.text is not None
    assert found.text < 0.2
