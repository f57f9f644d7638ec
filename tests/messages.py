"""Messages of our own making for the classifier: four matters in two languages, put together from phrases by a seed."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

from classifier.examples import Example

MATTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "street_light": {
        "zh": ("路灯不亮", "路灯坏了好几盏", "灯杆歪了", "晚上漆黑一片", "夜间照明不足"),
        "en": ("the street light is out", "two lamps are broken", "the lamp post leans", "it is pitch dark at night"),
    },
    "garbage": {
        "zh": ("垃圾没人清运", "垃圾桶满了", "垃圾堆在路边", "生活垃圾发臭", "垃圾站污水横流"),
        "en": ("the rubbish is not collected", "the bins overflow", "waste lies on the pavement", "the garbage stinks"),
    },
    "wage_arrears": {
        "zh": ("老板拖欠工资", "三个月没发工资", "工钱一直要不到", "公司不给加班费", "农民工讨薪"),
        "en": ("my employer owes me wages", "no salary for three months", "overtime is never paid", "unpaid wages"),
    },
    "taxi": {
        "zh": ("出租车拒载", "司机绕路", "的士不打表", "网约车乱收费", "出租车司机态度恶劣"),
        "en": ("the taxi driver refused me", "the cab took a detour", "the taxi had no meter", "the taxi overcharged"),
    },
}
PLACES = {
    "zh": ("我家门口", "学校旁边", "小区里", "菜市场附近", "老街那边", "工地上", "河边"),
    "en": ("near my house", "by the school", "on our street", "at the market", "next to the park", "at the station"),
}
WISHES = {
    "zh": ("请尽快处理", "希望有人来看看", "已经很久了", "大家意见很大", "打过电话没有用", "谢谢"),
    "en": ("please look into it", "somebody should come", "it has been weeks", "neighbours complain", "thank you"),
}


def a_message(matter: str, language: str, chance: random.Random) -> Example:
    said = chance.sample(MATTERS[matter][language], 2)
    place, *wishes = chance.choice(PLACES[language]), *chance.sample(WISHES[language], 2)
    gap = "，" if language == "zh" else ", "
    title = chance.choice((said[0], f"{place}{gap}{said[0]}"))
    return Example(title, gap.join((place, said[1], *wishes, str(chance.randrange(10**6)))), matter)


def some_messages(each: int = 40, seed: int = 1, matters: Iterable[str] = MATTERS) -> list[Example]:
    """So many of every matter, half of them in either language, in a mixed order."""
    chance = random.Random(seed)
    made = [a_message(matter, ("zh", "en")[number % 2], chance) for matter in matters for number in range(each)]
    chance.shuffle(made)
    return made


def a_file(path: Path, messages: Iterable[Example], label_column: str = "category") -> Path:
    """The messages as CSV."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["title", "body", label_column])
        writer.writerows((message.title, message.body, message.label) for message in messages)
    return path
