"""The part of an address that leads to a door: building, unit and room; the number in an English street.

Streets, housing estates, and a building or a staircase without a room stay: they say where the trouble is, and hundreds
of people live there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.personal import Kind, Span, spans
from domain.personal_words import STREET_WORDS

_NUMBER = "(?>[A-Z]?\\d{1,4}+|[A-Z]|[一二三四五六七八九十]{1,3}+)"
_BUILDING = f"(?>{_NUMBER} ?-?(?:栋|幢|号楼|座|#楼|#|号院|号|楼))"
_UNIT = f"(?>{_NUMBER} ?-?(?:单元|门|梯))"
_FLOOR = "(?>\\d{1,2} ?(?:楼|层))"
_ROOM = "(?>室|号房|房间|房(?![屋租产贷价东])|号(?!线|院|楼|窗|柜|桌|床|厅))"
_NO_MEASURE = "(?!\\d|[.,]\\d|[-~至到]\\d| ?[年月日天元米m个人户家套间平万亿名台辆公斤度时点分秒多余路层栋幢%℃])"
_DOORS = (
    # 3栋2单元501室, 12栋1201, A座1808
    re.compile(
        rf"(?<![A-Za-z\d月])(?>{_BUILDING} ?-?)(?:{_UNIT} ?-?)?+(?:{_FLOOR} ?-?)?+(?:\d{{2,4}}+[A-Z]?+{_ROOM}|\d{{3,4}}+[A-Z]?+{_NO_MEASURE})"
    ),
    re.compile(
        rf"(?<![A-Za-z\d])(?>{_UNIT} ?-?)(?:{_FLOOR} ?-?)?+(?:\d{{2,4}}+[A-Z]?+{_ROOM}|\d{{3,4}}+[A-Z]?+{_NO_MEASURE})"
    ),
    # 1503室; but 政务中心205室 is an office
    re.compile(r"(?<![\d-])(?<![心局厅府委所处院馆楼口司])\d{3,4}[A-Z]?(?:室|号房)"),
    # A3-2-501
    re.compile(r"(?<![A-Za-z\d-])[A-Za-z]\d{1,2}-\d{1,2}-\d{3,4}(?![\d-])"),
    # 3-2-501 after what says that it is a door
    re.compile(
        r"(?:房号|住址?|地址|门牌号?|家在|小区|[苑园城庭湾府里寓邸]|花园|公馆)[ :是为在]{0,3}(?P<it>[A-Z]?\d{1,3}-\d{1,2}-\d{2,4})(?![\d-])"
    ),
    re.compile(r"(?<![\d-])\d{1,3}-(?:\d{1,2}-)?\d{3,4}(?:室|号房|户(?!人))"),
    # 家住建设路88号
    re.compile(
        r"(?:住(?:在|于|址:?)?(?![房户宅院客]|建[局部委厅])|家庭地址:?|收货地址:?|联系地址:?|我的地址:?|家在)[^,。.;:\n\d]{0,20}?(?:路|街|巷|弄|道|里|胡同|村|组)(?P<it>\d{1,4}号)(?![线院楼])"
    ),
)
_STREET = f"(?:{'|'.join(word for word in STREET_WORDS if word not in ('Park', 'Bridge'))})"
_ENGLISH_DOORS = (
    re.compile(
        r"\b(?:[Ff]lat|[Aa]partment|[Aa]pt\.?|[Uu]nit|[Ss]uite) ?#?(?=\d|[A-Z]\b)(?:[A-Z]?\d{1,5}[A-Z]?|[A-Z])\b(?![.,]?\d)(?! ?(?:percent|per|%|dollars?|euros?|pounds?|fee)\b)"
    ),
    re.compile(r"\bRoom \d{1,4}[A-Z]?(?=, [A-Z])"),
    re.compile(
        rf"(?<![\d.,/-])(?<!Bus )(?<!bus )(?<!Line )(?<!line )(?<!Route )(?<!route )(?<!On )(?<!on )\b(?P<it>\d{{1,5}}+[A-Z]?+(?:[-/]\d{{1,5}}+)?+)(?= (?:\d{{1,3}}(?:st|nd|rd|th)|(?:[A-Z][a-z'’]{{1,20}}+\.?+ ){{0,2}}[A-Z][a-z'’]{{1,20}}+\.?+) {_STREET}\b)"
    ),
)


def doors(text: str) -> Iterator[Span]:
    for pattern in (*_DOORS, *_ENGLISH_DOORS):
        yield from spans(pattern, text, Kind.ADDRESS)
