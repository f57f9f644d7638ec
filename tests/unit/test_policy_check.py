"""`check_folder`: each mistake a city's engineer can make, named with file, key and how to mend it, all in one pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.coordinates import to_gcj02
from policies.check import check_folder
from policies.loader import load_folder, load_with_warnings
from policies.mistakes import Mistake, PolicyMistakes
from settings import DEFAULT_POLICY_DIRECTORY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demonstration city, to be spoilt."""
    copy = tmp_path / "city"
    shutil.copytree(DEFAULT_POLICY_DIRECTORY, copy)
    return copy


def change(file: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new, 1))

    return spoil


def append(file: str, text: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / file
        path.write_text(path.read_text() + text)

    return spoil


def remove(file: str) -> Callable[[Path], None]:
    return lambda folder: shutil.rmtree(folder / file) if (folder / file).is_dir() else (folder / file).unlink()


def write(file: str, data: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)

    return spoil


HOUSING, CITY_STREETS = "categories/10-housing.toml", "categories/20-city.toml"
DISTRICTS, PLACES = "jurisdictions.geojson", "places.toml"
NEW_DEPARTMENT = '\n[[department]]\ncode = "{}"\nname = {{ zh = "新", en = "New" }}\nkind = "department"\n{}\n'

MISTAKES = [
    # --- files
    ("a file is missing", remove("departments.toml"), "departments.toml", "", "is missing"),
    ("a folder is empty", remove("categories"), "categories/", "", "at least one"),
    ("a stray file", write("departmnets.toml", b""), "departmnets.toml", "", "Did you mean 'departments.toml'?"),
    ("not UTF-8", write("chains.toml", "# 链".encode("gbk")), "chains.toml", "byte 3", "encoding UTF-8"),
    ("a text that is not UTF-8", write("texts/zh/rated/sms.txt", b"\xff"), "texts/zh/rated/sms.txt", "byte 1", "UTF-8"),
    ("not TOML", append("city.toml", "\nname is Echo"), "city.toml", "line 41", "not TOML"),
    ("TOML that never ends", append("city.toml", '\nx = """'), "city.toml", "end of document", "not TOML"),
    ("not JSON", write(DISTRICTS, b'{"type": }'), DISTRICTS, "line 1", "not JSON"),
    ("JSON of another kind", write(DISTRICTS, b"[]"), DISTRICTS, "", "should be a table"),
    ("a link that leads out", lambda folder: (folder / "notes.toml").symlink_to("/etc/hosts"), "notes.toml", "", "leads out"),
    ("a link to nothing", lambda folder: (folder / "x.toml").symlink_to(folder / "y"), "x.toml", "", "link to nothing"),
    # --- sentences of danger
    ("sentences of no known danger", change("dangers/gas_leak.toml", 'watch = "gas_leak"', 'watch = "gas_leek"'),
     "dangers/gas_leak.toml", "watch", "has no watch gas_leek"),
    ("sentences of a watch that is no danger", change("dangers/gas_leak.toml", 'watch = "gas_leak"', 'watch = "misconduct"'),
     "dangers/gas_leak.toml", "watch", "with danger = true"),
    ("dangerous sentences of nothing", change("dangers/gas_leak.toml", 'watch = "gas_leak"\n', ""), "dangers/gas_leak.toml",
     "watch", "add watch"),
    ("an open brace in a sentence", change("dangers/ordinary.toml", "[harmless]\nzh = [", '[harmless]\nzh = ["{路灯/水管坏了",'),
     "dangers/ordinary.toml", "harmless.zh", "braces that do not fit"),
    ("a sentence twice", change("dangers/ordinary.toml", "[harmless]\nzh = [", '[harmless]\nzh = ["路灯坏了", "路灯坏了",'),
     "dangers/ordinary.toml", "harmless.zh", "stands here twice"),
    ("a sentence without an end", change("dangers/ordinary.toml", "[harmless]\nzh = [", f'[harmless]\nzh = ["{"路灯" * 200}",'),
     "dangers/ordinary.toml", "harmless.zh", "longer than 300"),
    ("sentences in another language", append("dangers/ordinary.toml", 'de = ["Die Lampe ist kaputt"]\n'),
     "dangers/ordinary.toml", "harmless.de", "not a language of this city"),
    # --- forms
    ("a missing field", change("city.toml", 'zone = "Asia/Shanghai"', ""), "city.toml", "zone", "is missing"),
    ("an unknown field", append("service_levels/default.toml", "\n[variants]\n"), "service_levels/default.toml", "variants",
     "Did you mean 'variant'?"),
    ("an unknown field of an entry", change("departments.toml", 'parent = "supervision"', 'parnet = "supervision"'),
     "departments.toml", "department[housing].parnet", "Did you mean 'parent'?"),
    ("a wrong type", change("city.toml", "retention_days = 1095", 'retention_days = "long"'), "city.toml",
     "limits.retention_days", "whole number"),
    ("a list that should be a text", change(HOUSING, 'chain = "default"', "chain = []"), HOUSING,
     "category[property_management].chain", "text in quotes"),
    ("an unknown urgency", change(HOUSING, 'urgency = "urgent"', 'urgency = "very"'), HOUSING, "category[dangerous_house].urgency",
     "should be 'normal', 'urgent' or 'danger'"),
    ("a code with spaces", change("departments.toml", 'code = "utilities"', 'code = "Public Works"'), "departments.toml",
     "department[Public Works].code", "small letters"),
    ("a negative duration", change("service_levels/default.toml", "5 working days", "-5 working days"),
     "service_levels/default.toml", "resolve", "cannot be negative"),
    ("a duration of nothing", change("service_levels/default.toml", "5 working days", "0 working days"),
     "service_levels/default.toml", "resolve", "cannot be kept"),
    ("a duration in no known unit", change("city.toml", "30 days", "a month"), "city.toml", "feedback.reopen_window",
     'like "5 working days"'),
    ("a duration without quotes", change("city.toml", '"30 days"', "30"), "city.toml", "feedback.reopen_window", "in quotes"),
    ("a share above all", change("city.toml", "call_share = 0.1", "call_share = 10"), "city.toml", "feedback.call_share",
     "less than or equal to 1"),
    ("quiet hours in words", change("city.toml", "21:00-08:00", "at night"), "city.toml", "quiet_hours", "21:00-08:00"),
    ("a variant with a strange field", append("service_levels/zhongshan.toml", 'solve = "1 day"\n'),
     "service_levels/zhongshan.toml", "variant.complaint.solve", "Did you mean 'resolve'?"),
    # --- departments
    ("an unknown parent", change("departments.toml", 'parent = "dawn_street"', 'parent = "dawn_stret"'), "departments.toml",
     "department[bell_tower_community].parent", "Did you mean 'dawn_street'?"),
    ("a circle", change("departments.toml", 'kind = "city"', 'kind = "city"\nparent = "bell_tower_grid_1"'),
     "departments.toml", "department[supervision].parent", "in a circle: supervision -> bell_tower_grid_1 ->"),
    ("its own parent", append("departments.toml", NEW_DEPARTMENT.format("loop", 'parent = "loop"')), "departments.toml",
     "department[loop].parent", "in a circle: loop -> loop"),
    ("two roots", append("departments.toml", NEW_DEPARTMENT.format("island", "")), "departments.toml",
     "department[island].parent", "only one department"),
    ("a department twice", append("departments.toml", NEW_DEPARTMENT.format("health", 'parent = "supervision"')),
     "departments.toml", "department[health].code", "given twice"),
    ("an unknown district", change("departments.toml", 'districts = ["clear_tone"]', 'districts = ["moon"]'), "departments.toml",
     "department[clear_tone].districts", "no district 'moon'"),
    ("a name in one language", change("departments.toml", ', en = "Health Bureau"', ""), "departments.toml",
     "department[health].name", "the text in en is missing"),
    ("a name in a third language", change("departments.toml", 'en = "Health Bureau"', 'en = "Health Bureau", fr = "Santé"'),
     "departments.toml", "department[health].name", "fr is not a language of this city"),
    # --- categories
    ("an unknown department", change(HOUSING, 'department = "housing"', 'department = "hosing"'), HOUSING,
     "category[property_management].department", "no department 'hosing'. Did you mean 'housing'?"),
    ("no route", change(HOUSING, 'department = "housing"\n', ""), HOUSING, "category[property_management].department",
     "has no route"),
    ("districts left out", change(CITY_STREETS, 'department = "housing"\nby_district', "by_district"), CITY_STREETS,
     "category[stairwell].department", "leaves out harmony, valley"),
    ("an unknown district of a route", change(CITY_STREETS, "morning_bell =", "moon ="), CITY_STREETS,
     "category[stairwell].by_district.moon", "no district 'moon'"),
    ("an unknown department of a district", change(CITY_STREETS, "bell_tower_grid_1", "bell_tower_grid_9"), CITY_STREETS,
     "category[stairwell].by_district.morning_bell", "no department 'bell_tower_grid_9'"),
    ("an unknown service level", change(HOUSING, '"default-complex"', '"default-hard"'), HOUSING,
     "category[home_purchase].service_level", "no service level 'default-hard'"),
    ("an unknown chain", change(HOUSING, 'chain = "default"', 'chain = "iron"'), HOUSING, "category[property_management].chain",
     "no chain 'iron'. Known are"),
    ("a category in two files", change(HOUSING, 'code = "renting"', 'code = "street_light"'), CITY_STREETS,
     "category[street_light].code", "also in categories/10-housing.toml"),
    ("a keyword of one character", change(HOUSING, '"物业公司"', '"物"'), HOUSING, "category[property_management].keywords",
     "too short"),
    ("a keyword twice", change(HOUSING, '"物业公司"', '"物业"'), HOUSING, "category[property_management].keywords", "twice"),
    ("keywords in another language", change(HOUSING, "[category.hints]\nzh", "[category.hints]\nde"), HOUSING,
     "category[property_management].hints", "de is not a language"),
    ("watch words for an unknown category", change("watchwords.toml", 'category = "gas_leak"', 'category = "gas_leek"'),
     "watchwords.toml", "watch[gas_leak].category", "Did you mean 'gas_leak'?"),
    ("watch words without effect", change("watchwords.toml", "sensitive = true\n[watch.words]\nzh = [\"校园暴力\"",
     "[watch.words]\nzh = [\"校园暴力\""), "watchwords.toml", "watch[minors].danger", "change nothing"),
    ("a danger that goes nowhere", change("watchwords.toml", 'category = "violence"\n', ""), "watchwords.toml",
     "watch[violence].category", "reaches a department at once"),
    # --- promises
    ("accepting after resolving", change("service_levels/utilities.toml", '"1 hour"', '"25 hours"'),
     "service_levels/utilities.toml", "accept", "longer than resolve"),
    ("a variant shorter than first contact", change("service_levels/default.toml", '"3 working days"', '"1 hour"'),
     "service_levels/default.toml", "variant.consult.accept", "longer than resolve"),
    ("levels out of order", change("chains.toml", "level = 1", "level = 3"), "chains.toml", "chain[default].rung", "should rise"),
    ("a higher level sooner", change("chains.toml", 'after = "3 working days"', 'after = "1 hour"'), "chains.toml",
     "chain[default].rung", "comes no sooner"),
    ("a fourth level", change("chains.toml", "level = 3", "level = 4"), "chains.toml", "chain[default].rung[3].level",
     "less than or equal to 3"),
    ("a rung for nobody", change("chains.toml", 'notify = ["lead"]', "notify = []"), "chains.toml",
     "chain[default].rung[1].notify", "at least 1 item"),
    ("a rung for somebody unknown", change("chains.toml", 'notify = ["lead"]', 'notify = ["leader"]'), "chains.toml",
     "chain[default].rung[level 1].notify", "Did you mean 'lead'?"),
    ("a rung for an unknown department", change("chains.toml", "department:supervision", "department:sky"), "chains.toml",
     "chain[utilities].rung[level 2].notify", "no department 'sky'"),
    ("taken over by nobody known", change("chains.toml", 'take_over = "supervision"', 'take_over = "sky"'), "chains.toml",
     "chain[danger].rung[level 3].take_over", "no department 'sky'"),
    ("a chain twice", change("chains.toml", 'code = "triage"', 'code = "danger"'), "chains.toml", "chain[danger].code", "twice"),
    ("an unknown zone", change("city.toml", "Asia/Shanghai", "Asia/Echo"), "city.toml", "zone", "no time zone"),
    ("an unknown rework level", change("city.toml", '"rework"', '"redo"'), "city.toml", "feedback.rework_level", "'redo'"),
    ("an unknown chain for triage", change("city.toml", 'chain = "triage"', 'chain = "try"'), "city.toml", "triage.chain", "'try'"),
    ("reminders out of order", change("city.toml", "[0.5, 0.8]", "[0.8, 0.5]"), "city.toml", "reminders", "rising"),
    ("a reminder after the end", change("city.toml", '"3 working days"', '"30 working days"'), "city.toml",
     "feedback.remind_after", "make it shorter"),
    ("a reason without a route", change("elsewhere.toml", ', en = "Please call 110, 119 or 120 at once"', ""), "elsewhere.toml",
     "decline_reason[emergency].route", "the text in en is missing"),
    ("words together that are one word", change("elsewhere.toml", '"lawsuit/appeal pending/court/judge/tribunal"', '"lawsuit/appeal"'),
     "elsewhere.toml", "decline_reason[court].together", "'lawsuit/appeal' is one group only"),
    ("a word of a reason twice", change("elsewhere.toml", '"my lawsuit"', '"court ruled"'), "elsewhere.toml",
     "decline_reason[court].words", "'court ruled' stands here twice"),
    ("a watch of one group", change("watchwords.toml", '"臭鸡蛋/臭蛋 味/气味"', '"臭鸡蛋/臭蛋"'), "watchwords.toml",
     "watch[gas_leak].together", "'臭鸡蛋/臭蛋' is one group only"),
    ("a margin above one", change("city.toml", "close_margin = 0.4", "close_margin = 1.4"), "city.toml",
     "triage.close_margin", "less than or equal to 1"),
    ("a target twice", change("elsewhere.toml", 'code = "fire"', 'code = "police"'), "elsewhere.toml",
     "transfer_target[police].code", "twice"),
    # --- calendar
    ("overlapping periods", change("calendar.toml", '"08:30-12:00", "13:30-17:30"', '"08:30-14:00", "13:30-17:30"'),
     "calendar.toml", "week.monday", "08:30-14:00 and 13:30-17:30 overlap"),
    ("a period that ends before it begins", change("calendar.toml", "08:30-12:00", "12:00-08:30"), "calendar.toml",
     "week.monday[1]", "begins before it ends"),
    ("a holiday that is a make-up day", change("calendar.toml", "on = 2026-10-10", "on = 2026-10-03"), "calendar.toml",
     "make_up_day[6].on", "holiday as well"),
    ("a make-up day that is worked anyway", change("calendar.toml", "on = 2026-10-10", "on = 2026-10-12"), "calendar.toml",
     "make_up_day[6].on", "a monday and worked anyway"),
    ("a make-up day twice", change("calendar.toml", "on = 2026-10-10", "on = 2026-09-20"), "calendar.toml", "make_up_day", "twice"),
    ("a holiday backwards", change("calendar.toml", "last_on = 2026-10-07", "last_on = 2026-09-07"), "calendar.toml",
     "holiday[7].last_on", "exchange them"),
    ("an endless holiday", change("calendar.toml", "last_on = 2026-10-07", "last_on = 2027-10-07"), "calendar.toml",
     "holiday[7].last_on", "has 372 days"),
    ("a year that is not published", change("calendar.toml", "[2026]", "[2025]"), "calendar.toml", "holiday[1].first_on",
     "add 2026 there"),
    ("a date that does not exist", change("calendar.toml", "first_on = 2026-10-01", 'first_on = "1 October"'), "calendar.toml",
     "holiday[7].first_on", "like 2026-10-01"),
    # --- districts
    ("a district twice", change(DISTRICTS, '"code": "valley"', '"code": "harmony"'), DISTRICTS, "features[harmony].code", "twice"),
    ("an outline that crosses itself", change(DISTRICTS, "[110.13, 30.2], [110.0, 30.2]",
     "[110.0, 30.2], [110.13, 30.2]"), DISTRICTS, "features[valley].geometry", "crosses itself"),
    ("latitude before longitude", change(DISTRICTS, "[[110.0, 30.1], [110.0, 30.0]", "[[30.1, 110.0], [30.0, 110.0]"),
     DISTRICTS, "features[morning_bell].geometry", "in this order"),
    ("no area", change(DISTRICTS, "[[[110.0, 30.1], [110.0, 30.0]", "[[[110.0], [110.0, 30.0]"), DISTRICTS,
     "features[morning_bell].geometry", "draw the outline anew"),
    ("a district within another", change(DISTRICTS, "[[[110.1, 30.1], [110.24, 30.1], [110.24, 30.2], [110.13, 30.2], [110.13, 30.14], [110.1, 30.1]]]",
     "[[[110.01, 30.01], [110.09, 30.01], [110.09, 30.02], [110.01, 30.01]]]"), DISTRICTS, "features[harmony].geometry",
     "all of it lies in"),
    ("a neighbour within a district", change(DISTRICTS, "[[[110.24, 30.0], [110.36, 30.0], [110.36, 30.2], [110.24, 30.2], [110.24, 30.1], [110.24, 30.0]]]",
     "[[[110.14, 30.01], [110.16, 30.01], [110.16, 30.02], [110.14, 30.01]]]"), DISTRICTS, "features[still_water].geometry",
     "draw it beside"),
    ("a neighbour's unknown reason", change(DISTRICTS, '"decline_reason": "still_water"', '"decline_reason": "moon"'), DISTRICTS,
     "features[still_water].properties.neighbour.decline_reason", "no decline reason 'moon'"),
    ("a neighbour's unknown target", change(DISTRICTS, '"transfer_target": "still_water"', '"transfer_target": "still_waters"'),
     DISTRICTS, "features[still_water].properties.neighbour.transfer_target", "Did you mean 'still_water'?"),
    ("a neighbour without a route", change(DISTRICTS, '"decline_reason": "still_water", ', ""), DISTRICTS,
     "features[still_water].properties.neighbour.decline_reason", "is missing"),
    ("a neighbour with the code of a district", change(DISTRICTS, '"code": "still_water"', '"code": "valley"'), DISTRICTS,
     "features[valley].code", "twice"),
    ("a name of two districts", change(DISTRICTS, '"also_called": ["空谷"]', '"also_called": ["空谷", "和鸣"]'), DISTRICTS,
     "features[valley].properties.also_called", "'和鸣' is a name of harmony, too"),
    ("a department for a neighbour", change("departments.toml", 'districts = ["clear_tone"]', 'districts = ["still_water"]'),
     "departments.toml", "department[clear_tone].districts", "no district 'still_water'"),
    ("an unknown datum of the outlines", change(DISTRICTS, '"name": "Echo City', '"datum": "bd09", "name": "Echo City'), DISTRICTS,
     "datum", "'wgs84' or 'gcj02'"),
    ("an unknown datum of points", change("city.toml", 'coordinates = "wgs84"', 'coordinates = "mars"'), "city.toml", "coordinates",
     "'wgs84' or 'gcj02'"),
    ("a border without a width", change("city.toml", "border_metres = 50", "border_metres = -1"), "city.toml", "border_metres",
     "greater than or equal to 0"),
    # --- places
    ("a place in no district", change(PLACES, "valley =", "moon ="), PLACES, "places.moon", "no district or neighbour 'moon'"),
    ("a place twice", change(PLACES, '"空谷隧道"', '"空谷隧道", "空谷隧道"'), PLACES, "places.valley", "stands here twice"),
    ("a place too short to tell", change(PLACES, '"空谷隧道"', '"路"'), PLACES, "places.valley", "'路' is too short"),
    ("a place that is another district", change(PLACES, '"空谷隧道"', '"Harmony District"'), PLACES, "places.valley",
     "'Harmony District' is the name of harmony"),
    # --- offices of districts
    ("a department of another district", change(CITY_STREETS, 'clear_tone = "willow_grid_1"', 'clear_tone = "bell_tower_grid_2"'),
     CITY_STREETS, "category[stairwell].by_district.clear_tone", "bell_tower_grid_2 serves morning_bell only, not clear_tone"),
    ("a department that leaves districts out", change(CITY_STREETS, 'department = "housing"\nby_district', 'department = "dawn_street"\nby_district'),
     CITY_STREETS, "category[stairwell].department", "dawn_street serves morning_bell only, not harmony, valley"),
    ("two offices of one kind", change(CITY_STREETS, "by_district = { morning_bell = \"bell_tower_grid_1\", clear_tone", "district_office = \"grid\"\nby_district = { clear_tone"),
     CITY_STREETS, "category[stairwell].district_office", "bell_tower_grid_1 and bell_tower_grid_2 all serve morning_bell"),
    ("districts without an office", change(CITY_STREETS, 'department = "housing"\nby_district = { morning_bell = "bell_tower_grid_1", clear_tone = "willow_grid_1" }',
     'district_office = "street"\nplace_required = true'), CITY_STREETS, "category[stairwell].district_office",
     "no department of the kind street serves harmony, valley"),
    ("an office and no place", change(CITY_STREETS, 'department = "housing"\nby_district = { morning_bell = "bell_tower_grid_1", clear_tone = "willow_grid_1" }',
     'district_office = "street"\nby_district = { harmony = "housing", valley = "housing" }'), CITY_STREETS, "category[stairwell].department",
     "set place_required"),
    ("a point", change(DISTRICTS, '"type": "Polygon"', '"type": "Point"'), DISTRICTS, "features[morning_bell].geometry.type",
     "'Polygon' or 'MultiPolygon'"),
    # --- texts
    ("a missing text", remove("texts/en/urged"), "texts/en/urged/sms.txt", "", "is missing"),
    ("an empty text", write("texts/en/urged/sms.txt", b" \n"), "texts/en/urged/sms.txt", "", "is empty"),
    ("an unknown placeholder", append("texts/zh/receipt/sms.txt", "{referense}"), "texts/zh/receipt/sms.txt", "",
     "Did you mean 'reference'?"),
    ("the citizen's link in a text for staff", append("texts/zh/new_task/sms.txt", "{link}"), "texts/zh/new_task/sms.txt", "",
     "{link} is not known in this text"),
    ("an open brace", append("texts/zh/receipt/sms.txt", "{"), "texts/zh/receipt/sms.txt", "", "brace"),
    ("a text much too long", append("texts/zh/receipt/sms.txt", "长" * 300), "texts/zh/receipt/sms.txt", "", "SMS long"),
    ("a notice that does not exist", write("texts/zh/reciept/sms.txt", b"x"), "texts/zh/reciept/sms.txt", "",
     "Did you mean 'receipt'?"),
    ("a channel that does not exist", write("texts/zh/receipt/fax.txt", b"x"), "texts/zh/receipt/fax.txt", "", "not a file"),
    ("texts in another language", write("texts/de/receipt/sms.txt", b"x"), "texts/de/", "", "not a language of this city"),
    ("no words", remove("texts/en/words.toml"), "texts/en/words.toml", "", "is missing"),
    ("a state without a word", change("texts/en/words.toml", 'triage = "waiting to be assigned"\n', ""), "texts/en/words.toml",
     "states.triage", "is missing"),
    ("a word for no state", change("texts/en/words.toml", "triage =", "triaged ="), "texts/en/words.toml", "states.triaged",
     "Did you mean 'triage'?"),
    ("a line with an unknown placeholder", change("texts/en/words.toml", "{target}", "{aim}"), "texts/en/words.toml",
     "timeline.transfer", "{aim} is not known"),
]  # fmt: skip


def test_demonstration_city_has_no_mistakes(folder: Path) -> None:
    assert check_folder(folder) == []


WARNINGS = [
    ("overlapping districts", change(DISTRICTS, "[110.1, 30.1], [110.12, 30.06]", "[110.02, 30.1], [110.12, 30.06]"),
     DISTRICTS, "features[clear_tone].geometry", "overlaps with morning_bell, which goes before it"),
    ("a neighbour that claims a part", change(DISTRICTS, "[110.24, 30.2], [110.24, 30.1], [110.24, 30.0]]]",
     "[110.24, 30.2], [110.24, 30.1], [110.20, 30.05], [110.24, 30.0]]]"),
     DISTRICTS, "features[still_water].geometry", "overlaps with clear_tone"),
    ("districts without an office of their own", change(CITY_STREETS, "by_district = { morning_bell = \"bell_tower_grid_1\", clear_tone = \"willow_grid_1\" }", 'district_office = "street"'),
     CITY_STREETS, "category[stairwell].district_office", "serves harmony, valley; what happens there goes to housing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spoil", "file", "key", "reason"), [pytest.param(*row, id=row[0]) for row in WARNINGS]
)
def test_what_a_city_may_want_is_a_warning_and_keeps_nothing_from_being_loaded(
    folder: Path, name: str, spoil: Callable[[Path], None], file: str, key: str, reason: str
) -> None:
    spoil(folder)
    assert check_folder(folder) == []
    (warning,) = load_with_warnings(folder)[1]
    assert (warning.file, warning.key) == (file, key)
    assert reason in warning.reason


def test_demonstration_city_has_no_warnings(folder: Path) -> None:
    assert load_with_warnings(folder)[1] == []


def test_sliver_between_hand_drawn_outlines_is_not_worth_a_word(folder: Path) -> None:
    change(DISTRICTS, "[110.1, 30.1], [110.12, 30.06]", "[110.0997, 30.1], [110.12, 30.06]")(folder)
    assert load_with_warnings(folder)[1] == []


def test_city_without_names_of_places_needs_no_file_for_them(folder: Path) -> None:
    remove(PLACES)(folder)
    assert load_folder(folder).places == {}


def test_outlines_of_a_chinese_map_are_moved_to_where_they_are(folder: Path) -> None:
    change(DISTRICTS, '"name": "Echo City', '"datum": "gcj02", "name": "Echo City')(folder)
    ring = load_folder(folder).districts[0].geometry["coordinates"][0]
    assert to_gcj02(ring[0][1], ring[0][0]) == pytest.approx((30.1, 110.0), abs=1e-6)
    assert ring[0] == ring[-1] != [110.0, 30.1]


SPREADS = {
    # These take away what other entries refer to, or are wrong in two ways at once.
    "a chain twice", "a code with spaces", "a year that is not published", "a variant shorter than first contact",
    "a word for no state", "an endless holiday", "a district twice",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spoil", "file", "key", "reason"), [pytest.param(*row, id=row[0]) for row in MISTAKES]
)
def test_mistake_is_named_with_file_key_and_reason_and_causes_no_others(
    folder: Path, name: str, spoil: Callable[[Path], None], file: str, key: str, reason: str
) -> None:
    spoil(folder)
    mistakes = check_folder(folder)
    assert any(m.file == file and m.key == key and reason in m.reason for m in mistakes), "\n".join(map(str, mistakes))
    assert len(mistakes) == 1 or name in SPREADS, "\n".join(map(str, mistakes))


def test_all_mistakes_are_found_in_one_pass(folder: Path) -> None:
    spoils = [
        append("city.toml", "\nname is Echo"),
        change(HOUSING, 'department = "housing"', 'department = "hosing"'),
        change(HOUSING, 'urgency = "urgent"', 'urgency = "very"'),
        change("service_levels/default.toml", "5 working days", "-5 working days"),
        change("calendar.toml", "08:30-12:00", "08:30-14:00"),
        remove("texts/en/urged"),
    ]
    for spoil in spoils:
        spoil(folder)
    files = [mistake.file for mistake in check_folder(folder)]
    assert files == sorted(
        [HOUSING, HOUSING, "calendar.toml", "city.toml", "service_levels/default.toml", "texts/en/urged/sms.txt"]
    )


def test_loading_raises_every_mistake(folder: Path) -> None:
    append("city.toml", "\nname is Echo")(folder)
    remove("texts/en/urged")(folder)
    with pytest.raises(PolicyMistakes) as raised:
        load_folder(folder)
    assert len(raised.value.mistakes) == 2
    assert raised.value.message == "\n".join(map(str, raised.value.mistakes))


@pytest.mark.parametrize("name", ["nothing", "file", "elsewhere"])
def test_what_is_no_policy_folder_is_one_mistake(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_text("x")
    (mistake,) = check_folder(tmp_path / name)
    assert mistake.file == "."
    assert name in mistake.reason


def test_hidden_files_and_a_readme_are_left_alone(folder: Path) -> None:
    (folder / ".city.toml.swp").write_bytes(b"\xff")
    (folder / ".git").mkdir()
    (folder / "README.md").write_text("Ours.")
    assert check_folder(folder) == []


def test_file_saved_with_a_byte_order_mark_is_read(folder: Path) -> None:
    text = (folder / "city.toml").read_text()
    (folder / "city.toml").write_text(text, encoding="utf-8-sig")
    assert check_folder(folder) == []


def test_mistake_reads_as_file_key_and_reason() -> None:
    assert str(Mistake("city.toml", "zone", "is missing; add it")) == "city.toml: zone: is missing; add it"
    assert str(Mistake("city.toml", "", "is missing")) == "city.toml: is missing"


def test_sentence_of_danger_cannot_be_harmless_as_well(folder: Path) -> None:
    for side in ("dangerous", "harmless"):
        change("dangers/gas_leak.toml", f"[{side}]\nzh = [", f'[{side}]\nzh = ["路灯下有味",')(folder)
    (mistake,) = check_folder(folder)
    assert (mistake.file, mistake.key) == ("dangers/gas_leak.toml", "dangerous.zh")
    assert "harmless too" in mistake.reason


def test_city_without_sentences_of_danger_needs_none_and_one_with_few_is_told_so(folder: Path) -> None:
    shutil.rmtree(folder / "dangers")
    assert check_folder(folder) == []
    assert load_folder(folder).danger_examples == ()
    write("dangers/few.toml", 'watch = "gas_leak"\n[dangerous]\nzh = ["有味"]\n'.encode())(folder)
    assert {(each.file, each.key) for each in check_folder(folder)} == {
        ("dangers/", "dangerous"),
        ("dangers/", "harmless"),
    }
