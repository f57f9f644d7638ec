"""Where a matter is, by its point and by the names in its text; and when the two leave a doubt that a person must resolve.

The rules and their reasons: docs/decisions/0018-where-a-matter-is.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.classified import FoundBy, Located, PlaceDoubt


@dataclass(frozen=True)
class Around:
    """The codes of the districts and neighbours at a point: those that hold it, their borders included, in the policy's
    order; and all that lie within the policy's distance of doubt, the nearest first.

    `near` is asked for only where nothing holds the point, or where the names contradict what does.
    """

    inside: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """What the names in a text leave possible: in the place and the address that were given, and in title and description.

    Codes in the policy's order; none where the text names nothing.
    """

    in_place: tuple[str, ...] = ()
    in_text: tuple[str, ...] = ()


def locate(neighbours: Collection[str], around: Around | None, named: Named) -> Located:
    """The district of a matter; without `around` there is no point. `neighbours` are the codes that are none of ours.

    A neighbour that only title or description mention says nothing: people write where they come from, too.
    """
    in_text = tuple(code for code in named.in_text if code not in neighbours)
    names, by_name = (named.in_place, FoundBy.PLACE) if named.in_place else (in_text, FoundBy.TEXT)
    if around is None:
        return _by_name(neighbours, names, by_name)
    found = _by_point(neighbours, around, names)
    here = found.district or found.neighbour
    if not names or here in names:
        return found
    doubt, others = _contradiction(around, names)
    between = others if here is None else (here, *others)
    return Located(found.district, found.outside, found.neighbour, found.found_by, doubt, between)


def _by_name(neighbours: Collection[str], names: tuple[str, ...], by_name: FoundBy) -> Located:
    if not names:
        return Located()
    if len(names) > 1:
        return Located(found_by=by_name, doubt=PlaceDoubt.SEVERAL_NAMES, between=names)
    if names[0] in neighbours:
        return Located(outside=True, neighbour=names[0], found_by=by_name)
    return Located(names[0], found_by=by_name)


def _by_point(neighbours: Collection[str], around: Around, names: tuple[str, ...]) -> Located:
    """Our own districts go before neighbours, what holds the point before what is only near."""
    ours, theirs = _apart(around.inside, neighbours)
    near, near_theirs = _apart(around.near, neighbours)
    if ours:
        by_point = FoundBy.BORDER if len(ours) > 1 else FoundBy.POINT
        return Located(_named_or_first(ours, names), found_by=by_point)
    if theirs:
        return Located(outside=True, neighbour=_named_or_first(theirs, names), found_by=FoundBy.POINT)
    if near:
        return Located(_named_or_first(near, names), found_by=FoundBy.NEAREST)
    if near_theirs:
        return Located(outside=True, neighbour=_named_or_first(near_theirs, names), found_by=FoundBy.NEAREST)
    return Located(outside=True, found_by=FoundBy.POINT)


def _contradiction(around: Around, names: tuple[str, ...]) -> tuple[PlaceDoubt, tuple[str, ...]]:
    """The names that the point contradicts: only those just across the border, if there are such."""
    across = tuple(code for code in names if code in around.near or code in around.inside)
    return (PlaceDoubt.NEAR_BORDER, across) if across else (PlaceDoubt.POINT_AND_NAME, names)


def _named_or_first(codes: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The first that the text names, or else the first."""
    return next((code for code in codes if code in names), codes[0])


def _apart(codes: tuple[str, ...], neighbours: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ours and theirs."""
    return (
        tuple(code for code in codes if code not in neighbours),
        tuple(code for code in codes if code in neighbours),
    )
