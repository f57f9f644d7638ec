"""What a trial ends with: the exit status, how to see it again, and what counts as all compared."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner
from PIL import Image, UnidentifiedImageError

from chaos.faults import Struck
from chaos.found import Check
from chaos.keeping import Kept
from chaos.ledger import Acted, Ledger
from chaos.lives import ACTIONS
from chaos.load import Played
from chaos.plan import Kind
from chaos.reading import is_a_picture, is_all_the_same
from chaos.system import CommandFailed
from chaos.trial import Order, Outcome, actions, endings
from cli.chaos import chaos
from demonstration.messages import draw, read_messages
from supervision.parts import Part

ENOUGH = 2000


def an_outcome(order: Order, *differences: str) -> Outcome:
    check = Check("something that must hold", 3, list(differences))
    ledger = Ledger(refused=Counter({"answer 409": 2}))
    struck = Struck(Counter({Kind.KILL: 1}), {1: "process 7 is gone"}, [(order.plan[0], "nothing was seen of it")])
    return Outcome([check], ledger, Played(), struck, 1.0, {"api": 2}, {})


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Order]]:
    """The command without a system under it: its trials end with these differences, and are noted."""

    def end_with(*differences: str) -> list[Order]:
        ordered: list[Order] = []

        async def tried(order: Order, *_: object, **__: object) -> Outcome:
            ordered.append(order)
            if differences == ("it fell over",):
                raise CommandFailed("it fell over")
            return an_outcome(order, *differences)

        monkeypatch.setattr("cli.chaos.tried", tried)
        monkeypatch.setattr("cli.chaos._own_disks", lambda: False)
        return ordered

    return end_with


def said_by(tmp_path: Path, *words: str) -> tuple[int, str]:
    # As the program does it: what the command gives is the exit status.
    result = CliRunner().invoke(chaos, ["--var", str(tmp_path), *words], standalone_mode=False)
    return result.return_value if result.exception is None else 1, result.output


def test_trial_without_a_difference_ends_with_0_and_leaves_nothing(
    tmp_path: Path, tries: Callable[..., list[Order]]
) -> None:
    tries()
    status, said = said_by(tmp_path, "--seed", "7", "--faults", "4")
    assert status == 0
    assert "No difference" in said
    assert not list(tmp_path.iterdir())


def test_trial_with_a_difference_ends_with_1_and_names_it_and_keeps_everything(
    tmp_path: Path, tries: Callable[..., list[Order]]
) -> None:
    tries("2611-4829-13704 is missing")
    status, said = said_by(tmp_path, "--seed", "7", "--faults", "4")
    assert status == 1
    assert "2611-4829-13704 is missing" in said
    assert "1 differences. The same again: huisheng chaos --seed 7" in said
    (kept,) = tmp_path.iterdir()
    assert "2611-4829-13704 is missing" in (kept / "differences.txt").read_text()


def test_trial_that_could_not_be_held_is_no_success(tmp_path: Path, tries: Callable[..., list[Order]]) -> None:
    tries("it fell over")
    assert said_by(tmp_path, "--seed", "7", "--faults", "4")[0] == 1


def test_report_says_what_was_done_what_was_not_and_what_was_refused(
    tmp_path: Path, tries: Callable[..., list[Order]]
) -> None:
    tries()
    _, said = said_by(tmp_path, "--seed", "7", "--faults", "4")
    said = " ".join(said.split())
    assert "1 of 4 faults were seen to be done." in said
    assert re.search(r"Not done: #1 .*: nothing was seen of it\.", said)
    assert "Refused, because somebody or a clock was quicker: answer 409 2." in said


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Messages of citizens; the blank in its name must survive in a shell."""
    path = tmp_path / "the messages.csv"
    path.write_text("title,body\n" + "".join(f"路灯,第{number}盏路灯不亮。\n" for number in range(50)))
    return path


def test_command_that_shows_it_again_names_the_file_and_draws_the_same(
    tmp_path: Path, file: Path, tries: Callable[..., list[Order]]
) -> None:
    ordered = tries()
    words = ["--from", str(file), "--requests", "20", "--faults", "4"]
    _, said = said_by(tmp_path / "var", *words)
    (order,) = ordered
    assert f"--seed {order.seed} " in said
    assert f"--from '{file}'" in said.replace("\n", "")
    assert order.messages == tuple(message.body for message in draw(read_messages(file), 20, order.seed))


@pytest.mark.parametrize(
    ("status", "said", "number", "expected"),
    [
        pytest.param(0, "3 requests: 3 as the histories say.\n", 3, True, id="all compared"),
        pytest.param(0, "1 request: 1 as the histories say.\n", 1, True, id="a single one"),
        pytest.param(0, "1,234 requests: 1,234 as the histories say.\n", 1234, True, id="many"),
        pytest.param(0, "2 requests: 2 as the histories say.\n", 3, False, id="one was not looked at"),
        pytest.param(
            0, "3 requests: 2 as the histories say, 1 being worked on, left as they are; run this again.\n", 3, False,
            id="one was at work",
        ),
        pytest.param(
            0, "3 requests: 2 as the histories say, 1 whose runs Temporal keeps no longer, left as they are.\n", 3, False,
            id="one is not kept",
        ),
        pytest.param(1, "3 requests: 2 as the histories say, 1 not as the histories say.\n", 3, False, id="one differs"),
        pytest.param(1, "", 3, False, id="nothing was said"),
    ],
)  # fmt: skip
def test_read_model_is_right_only_where_every_request_was_compared(
    status: int, said: str, number: int, expected: bool
) -> None:
    assert is_all_the_same(status, said, number) is expected


def a_part_that_ended(status: int) -> Kept:
    return Kept(cast("Part", None), {}, Path(), starts=2, by_itself=Counter({status: 1}))


@pytest.mark.parametrize(("status", "is_right"), [(0, True), (1, True), (-11, False), (137, False)])
def test_part_may_end_by_itself_only_with_a_sentence(status: int, is_right: bool) -> None:
    fine = a_part_that_ended(0)
    assert endings({"worker": a_part_that_ended(status), "worker2": fine, "api": fine}).holds is is_right


def test_full_trial_in_which_an_action_is_always_refused_is_a_difference() -> None:
    ledger = Ledger()
    ledger.acted["2611-4829-13704"] = [
        Acted(action, "housing", "assigned", 3) for action in sorted(ACTIONS - {"merge"})
    ]
    assert actions(ledger, ENOUGH).differences == ["merge was never accepted"]
    assert actions(ledger, 30).holds
    ledger.acted["2611-4829-13704"].append(Acted("merge", "dispatcher", "merged", 4))
    assert actions(ledger, ENOUGH).holds


def a_picture() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(picture, "PNG")
    return picture.getvalue()


def test_picture_that_is_spoilt_is_none() -> None:
    assert is_a_picture(a_picture())
    with pytest.raises(OSError, match="truncated"):
        is_a_picture(a_picture()[:-40])
    with pytest.raises(UnidentifiedImageError):
        is_a_picture(b"spoilt")
