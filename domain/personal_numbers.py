"""Numbers, plates and addresses on the net that lead to a person, and the numbers that look like them and lead to nobody.

Every pattern is bounded: none reads further than a few dozen characters from where it began, so that a long text costs
as many steps as it has characters, times a constant (tests/unit/test_masking.py counts them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.personal import Kind, Span, span_of, spans
from domain.references import parse_reference

_YEAR_MONTH_DAY = r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

# --- what is left alone -------------------------------------------------------------------------------------------------

_NUMBERED = re.compile(
    r"(?>(?<!身份证)(?:编号|单号)|订单号?码?|工单号?码?|受理号|案号|流水号|发票号码?|合同号码?|文号|学籍号|批号|字第|书号|代码|税号|"
    r"\b(?:references?|ref|invoice|orders?|case|ticket|tracking|permit|contract|request|receipt|docket)\b)"
    r"(?: ?(?:no\.?|number|id|号码?|#))?+[ :,是为#]{0,4}+(?P<it>[A-Z]{0,4}+\d[\d/-]{0,40}+)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"(?<!\d)(?P<it>\d\d(?:0[1-9]|1[0-2])[- ]\d{4}[- ]\d{5})(?!\d)")
_BARE_REFERENCE = re.compile(r"(?<!\d)\d{13}(?!\d)")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}(?!\d)")
_AMOUNT = re.compile(r"(?<![\d-])\d{1,14}(?:\.\d{1,4})? ?(?:[万亿]?[元块吨]|平方|公里|dollars|yuan|euros?|pounds)")
_FREE_OF_CHARGE = re.compile(r"(?<!\d)(?:[48]00[- ]?\d{3,4}[- ]?\d{3,4}|(?:0800|1[- ]8\d\d)(?:[- ]\d{3,4}){2})(?!\d)")
_OF_AN_OFFICE = re.compile(
    r"(?>热线|咨询电话|服务电话|监督电话|举报电话|投诉电话|值班电话|办公电话|客服电话|抢修电话|hotline|helpline|switchboard)"
    r"[^\d\n(]{0,8}+(?P<it>\(?0\d{2,3}\)?[- ]?\d{7,8}|\d{7,8}|\(?\d{3,5}\)?[- ]\d{3,4}[- ]\d{3,4})(?!\d)",
    re.IGNORECASE,
)


def public_numbers(text: str) -> Iterator[Span]:
    """References, dates, amounts, numbers of documents and lines of offices. The kind given says nothing."""
    for pattern in (_NUMBERED, _REFERENCE, _DATE, _AMOUNT, _FREE_OF_CHARGE, _OF_AN_OFFICE):
        yield from spans(pattern, text, Kind.PHONE)
    for found in _BARE_REFERENCE.finditer(text):
        if parse_reference(found.group()):
            yield span_of(found, Kind.PHONE)


# --- addresses on the net, and plates -----------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,5}+")
_WECHAT = re.compile(
    r"(?:微信|薇信|威信|(?<![a-z])(?:we ?chat|weixin|wx|vx))(?:同?号码?|账号| ?id)?[ :是为(]{0,3}(?:is )?"
    r"(?P<it>[a-z](?=[a-z_-]{0,19}+[\d_-])[a-z0-9_-]{4,19}+)(?![a-z0-9_-])",
    re.IGNORECASE,
)
_NAMED_WECHAT = re.compile(
    r"(?:微信|薇信|we ?chat|weixin|vx)(?:号码?|账号| ?id)? ?(?:[:是为]|is) ?(?P<it>[a-z][a-z0-9_-]{5,19}+)",
    re.IGNORECASE,
)
_QQ = re.compile(r"(?<![a-z])(?:qq|扣扣)(?:号码?)?[^\d\n]{0,4}(?P<it>[1-9]\d{4,10}+)(?!\d)", re.IGNORECASE)

_CHINESE_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?[A-Z][ ·.-]{0,2}"
    r"(?=[A-Z]{0,3}\d[A-Z]?\d)(?:[A-Z0-9]{5,6}|[A-Z0-9]{4}[挂学警港澳领使])(?![A-Z0-9])",
    re.IGNORECASE,
)
_PLATE_WORD = re.compile(
    r"\b(?:[Ll]icen[cs]e|[Nn]umber|[Rr]eg(?:istration)?) ?(?:plates?|number)?|\b[Pp]lates?|车牌号?码?|车号", re.ASCII
)
_LATIN_PLATE = re.compile(
    r"(?:(?: number| no\.?| is)| ?[:是为]|,){0,3}+ ?+"
    r"(?P<it>(?=[A-Z -]{0,8}\d)[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{2,5})(?:[ -][A-Z0-9]{1,4})?)(?![A-Za-z0-9-])"
)


def accounts(text: str) -> Iterator[Span]:
    yield from spans(_EMAIL, text, Kind.EMAIL)
    for pattern in (_WECHAT, _NAMED_WECHAT, _QQ):
        yield from spans(pattern, text, Kind.ACCOUNT)


def plates(text: str) -> Iterator[Span]:
    """Chinese ones by their form, new-energy ones too; others after the word for it."""
    yield from spans(_CHINESE_PLATE, text, Kind.PLATE)
    for word in _PLATE_WORD.finditer(text):
        found = _LATIN_PLATE.match(text, word.end())
        if found and any(each.isalpha() for each in found["it"]):
            yield span_of(found, Kind.PLATE)


# --- papers and money ---------------------------------------------------------------------------------------------------

_IDENTITY = re.compile(rf"(?<!\d)\d{{6}}[ -]?{_YEAR_MONTH_DAY}[ -]?\d{{3}}[\dX](?![\dA-Z])", re.IGNORECASE)
_NAMED_IDENTITY = re.compile(
    r"(?:身份证|证件)(?:号码?|编号)?[^\dA-Z\n]{0,6}(?P<it>\d[\d*]{6,16}+[\dX*]?)(?![\dA-Z])", re.IGNORECASE
)
_PASSPORT = re.compile(
    r"(?:护照|通行证|passport)(?:号码?| number| no\.?)?[ :是为]{0,3}(?:is )?(?P<it>[A-Z]{1,2}\d{7,8})(?!\d)",
    re.IGNORECASE,
)
_SOCIAL_SECURITY = re.compile(r"(?<![\d-])\d{3}-\d\d-\d{4}(?![\d-])")

_LONG_NUMBER = re.compile(r"(?<![\d.])\d(?:[ -]?\d){9,18}+(?![ -]?\d)")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_MONEY_WORD = re.compile(r"(?:卡号?|账号|帐号|账户|帐户|card|account)[^\d\n]{0,12}$", re.IGNORECASE)
_LOOKED_BACK = 24
_CARD_PREFIXES = ("62", "34", "37", "4", "51", "52", "53", "54", "55")


def papers(text: str) -> Iterator[Span]:
    for pattern in (_IDENTITY, _NAMED_IDENTITY, _PASSPORT, _SOCIAL_SECURITY):
        yield from spans(pattern, text, Kind.IDENTITY)


def bank_cards(text: str) -> Iterator[Span]:
    yield from spans(_IBAN, text, Kind.BANK_CARD)
    for found in _LONG_NUMBER.finditer(text):
        named = _MONEY_WORD.search(text[max(0, found.start() - _LOOKED_BACK) : found.start()])
        digits = [int(each) for each in found.group() if each.isdigit()]
        if named or _looks_like_card(digits):
            yield span_of(found, Kind.BANK_CARD)


def _looks_like_card(digits: list[int]) -> bool:
    """The prefix of a card, or failing that a check digit that is right: a number may be told with a slip in it."""
    written = "".join(map(str, digits))
    return len(digits) >= 15 and digits[0] != 0 and (written.startswith(_CARD_PREFIXES) or _passes_luhn(digits))


def _passes_luhn(digits: list[int]) -> bool:
    doubled = (2 * each - 9 * (each > 4) for each in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


# --- phones -------------------------------------------------------------------------------------------------------------

_ZERO_TO_NINE = "零〇一二三四五六七八九幺"
_PHONES = (
    # Chinese mobile, in digits and in words
    re.compile(r"(?<!\d)(?:(?:\+|00)?86[ -]?)?1[3-9](?:[ .-]?\d){9}(?!\.?\d)"),
    re.compile(rf"(?<![{_ZERO_TO_NINE}])[一幺][三四五六七八九][{_ZERO_TO_NINE}]{{9}}(?![{_ZERO_TO_NINE}])"),
    # Chinese landline, with an extension
    re.compile(r"(?<!\d)(?:\(0\d{2,3}\)|0\d{2,3}) ?-?\d{7,8}(?:(?:-|转) ?\d{1,5})?(?!\d)"),
    # international, North American, British
    re.compile(r"\+\d(?:[ .()-]{0,2}\d){7,14}+(?!\d)"),
    re.compile(r"(?<![\d+])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d-])"),
    re.compile(r"(?<![\d-])\(?0\d{2,4}\)?[ -]\d{3,4}[ -]?\d{3,4}(?![\d-])"),
)
_LOCAL_PHONE = re.compile(
    r"(?:电话|座机|手机|号码|拨打|致电|回电|联系|\b(?:tel|telephone|phone|mobile|call|number|at|on|ring|text)\b)"
    r"(?:号码?)?[ :.是为(]{0,3}(?:is )?(?P<it>\d{3,4}[ -]?\d{4})(?![\d.]?\d)(?! ?[年月日元%:-])",
    re.IGNORECASE,
)


def phones(text: str) -> Iterator[Span]:
    for pattern in (*_PHONES, _LOCAL_PHONE):
        yield from spans(pattern, text, Kind.PHONE)


_LANDLINES = (_PHONES[2], re.compile(r"(?:电话|致电|拨打|联系)[^\d\n]{0,8}(?P<it>[2-8]\d{6,7})(?!\d)"))
_TO_BE_CALLED = re.compile(
    r"\b(?:call us|contact us|phone us|reach us|ring us|our office|for (?:any )?questions|enquiries|please (?:call|contact|phone))"
    r"[^\d\n+(]{0,40}+(?P<it>[+(]?\d(?:[ .()-]{0,2}\d){6,14}+)(?!\d)",
    re.IGNORECASE,
)


def lines_of_offices(text: str) -> Iterator[Span]:
    """In what the city writes: landlines, and numbers that everybody is asked to call. A mobile number is somebody's."""
    for pattern in (*_LANDLINES, _TO_BE_CALLED):
        yield from spans(pattern, text, Kind.PHONE)
