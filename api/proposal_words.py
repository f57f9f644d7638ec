"""Why something is proposed, said in the reader's language with the names of the policy."""

from __future__ import annotations

from api.schemas import Language
from api.words import category_name
from domain.policy import Policy, in_language
from domain.proposals import Because, Proposal

_SENTENCES: dict[Language, dict[Because, str]] = {
    "zh": {
        Because.NEIGHBOUR: "地点位于{where}，不在本市",
        Because.WORDS: "来信中的用词属于“{reason}”",
        Because.PART: "来信中有一部分明显属于“{second}”",
        Because.CLOSE: "最可能是“{first}”（{sure}），其次是“{second}”（{nearly}）",
    },
    "en": {
        Because.NEIGHBOUR: "The place lies in {where}, outside the city",
        Because.WORDS: "Words of the message speak for “{reason}”",
        Because.PART: "A part of the message is surely about “{second}”",
        Because.CLOSE: "Most likely “{first}” ({sure}), then “{second}” ({nearly})",
    },
}


def why_proposed(policy: Policy, proposal: Proposal, language: Language) -> str:
    """A sentence without its full stop. One that was kept before there were codes stays as it was written, in English."""
    if proposal.because not in set(Because):
        return proposal.why
    return _SENTENCES[language][Because(proposal.because)].format(
        where=_neighbour(policy, proposal.where or "", language),
        reason=_decline_reason(policy, proposal.reason_code or "", language),
        first=category_name(policy, proposal.category or "", language),
        second=category_name(policy, proposal.co_category or "", language),
        sure=_per_cent(proposal.sure),
        nearly=_per_cent(proposal.nearly),
    )


def _neighbour(policy: Policy, code: str, language: Language) -> str:
    return next((in_language(each.name, language) for each in policy.neighbours if each.code == code), code)


def _decline_reason(policy: Policy, code: str, language: Language) -> str:
    return next((in_language(each.name, language) for each in policy.decline_reasons if each.code == code), code)


def _per_cent(share: str | None) -> str:
    return f"{float(share):.0%}" if share else ""
