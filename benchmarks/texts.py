"""What the citizens of a measurement write: invented messages of an ordinary length that the rules send to a department.

A message that a person has to look at first would measure that person.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from domain.classification import Classifier
from domain.classified import Located
from domain.policy import Category, Policy
from domain.request import Urgency
from domain.routing import Route, route

ORDINARY_CHARACTERS = 217
"""The median length of real messages to a Chinese city."""

_AROUND = (
    "您好，我住在附近，这个情况已经持续了一段时间，周围的邻居都很着急，也不知道该向哪个部门反映。",
    "昨天晚上下班回家又遇到了同样的事情，老人和小孩出入都不方便，希望能够尽快安排人员到现场看一看。",
    "之前打过电话，工作人员说会登记，但是到现在还没有消息，请帮忙催促，并告知大概什么时候能够有结果。",
    "如果需要补充说明，可以随时联系，我们愿意配合提供照片和具体位置，感谢您的理解与支持，辛苦了。",
)


def messages(policy: Policy, departments: Container[str]) -> tuple[str, ...]:
    """One for each category that needs nobody's second look and whose department is among `departments`."""
    classifier = Classifier.from_policy(policy)
    return tuple(
        text
        for category in policy.categories
        if _is_ordinary(category) and category.department in departments
        for text in _about(category)
        if _goes_to(policy, classifier, text) == category.department
    )


def _is_ordinary(category: Category) -> bool:
    asks_for_more = category.sensitive or category.review or category.place_required or category.photo_required
    return not asks_for_more and category.urgency is Urgency.NORMAL


def _about(category: Category) -> Iterator[str]:
    words = category.keywords.get("zh", ())
    if words:
        matter = f"关于{category.name['zh']}的问题：{'、'.join(words[:3])}。"
        yield (matter + "".join(_AROUND))[:ORDINARY_CHARACTERS]


def _goes_to(policy: Policy, classifier: Classifier, text: str) -> str | None:
    found = route(policy, classifier.classify(text, text[:12]), Located())
    return found.department if isinstance(found, Route) else None
