"""What people were told, compared with what exists: one check for each promise, each with how much it compared."""

from __future__ import annotations

from chaos import owing, standing, told, waiting
from chaos.found import Check, Found, given, said
from chaos.ledger import Ledger
from chaos.load import Played


def compare(ledger: Ledger, played: Played, found: Found) -> list[Check]:
    return [
        standing.calm(found),
        given(Check("every answer was one that the interface may give", sum(ledger.statuses.values())), ledger.wrong),
        told.every_201(ledger, found),
        told.nothing_unasked(ledger, found),
        told.every_202(ledger, found),
        told.every_message_once(ledger, found),
        told.nothing_stored(ledger, found),
        told.every_200(ledger, found),
        told.no_action_twice(ledger, found),
        told.photos(ledger, found),
        told.read_stays(ledger, found),
        given(Check("every request could be brought to its end", len(played.ends)), played.given_up),
        standing.right_ends(played, found),
        standing.timelines(found),
        standing.words(found),
        owing.notices_once(found),
        owing.notices_owed(found),
        owing.rings_once(found),
        standing.runs(found),
        waiting.timers(found),
        waiting.clocks_of_runs(found),
        waiting.parts(found),
        standing.over(found),
        said(Check("the read model equals the histories", len(found.snapshots)), found.read_model),
        said(Check("the record of looks at personal data is whole", 1), found.audit),
    ]
