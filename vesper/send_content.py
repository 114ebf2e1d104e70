"""What each person gets, and on which channel: the content that a matrix has for them, on the first of its channels that reaches them (R78, R80).

What belongs here: that choice, joined to the people of a sending. What does not: the matrix (`matrix.py`), one content for all and the reasons that
a person gives for getting nothing (`send_person.py`).

A channel reaches a person who has an address there, whose address is not kept out, and who agreed where that is asked. Whom none reaches is refused
as on the first one, so that the reason names what the company would have liked to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.held import held_sources
from vesper.matrix import SEPARATOR, choice
from vesper.model.from_matrix import FromMatrix
from vesper.model.lifecycle import Lifecycle
from vesper.model.matrix import Matrix
from vesper.model.tag import Tag
from vesper.night import Night

Expression = sa.ColumnElement[Any]


@dataclass(frozen=True)
class Way:
    """A person on one channel: the address there, its hash, and whether they may be written to at it."""

    address: Expression
    address_hash: Expression
    is_open: Expression


def matrix_of(content: FromMatrix, night: Night) -> Matrix | None:
    """The matrix; None where an older version of a journey names one that is in force no longer."""
    return night.definitions.of(Matrix).get(content.matrix)


def by_matrix(
    content: FromMatrix, night: Night, people: sa.FromClause, columns: Sequence[Any], ways: Mapping[str, Way]
) -> sa.Select[Any]:
    """Rows of `people` with `columns`, the first of which is contact_id, and: channel, content_id, variant, gap, address, address_hash.

    `ways` are those of the matrix's channels. Without the matrix everybody is a gap of its name.
    """
    matrix = matrix_of(content, night)
    if matrix is None:
        gap = sa.literal(f"matrix/{content.matrix}").label("gap")
        nothing = [_text(None).label(name) for name in ("channel", "content_id", "variant", "address", "address_hash")]
        return sa.select(*columns, *nothing, gap).select_from(people)
    picked = choice(matrix, night).cte("picked")
    chosen = ("content_id", "variant", "gap", "channels")
    parts = [
        getattr(way, part).label(f"{part}_{channel}")
        for channel, way in ways.items()
        for part in ("address", "address_hash", "is_open")
    ]
    met = sa.select(*columns, *[picked.c[name] for name in chosen], *parts)
    found = met.select_from(people.outerjoin(picked, picked.c.contact_id == columns[0])).cte("matched")
    placed = sa.select(found, _channel(found, ways).label("channel")).cte("directed")
    own = [placed.c[column.name] for column in columns]
    return sa.select(
        *own,
        *[placed.c[name] for name in ("channel", "content_id", "variant", "gap")],
        *[_on(placed, part, ways).label(part) for part in ("address", "address_hash")],
    )


def held_by_matrix(content: FromMatrix, night: Night) -> set[str]:
    """The sources with a hole tonight behind the stages and tags that the matrix tells apart: what it says of people is unknown (R106)."""
    matrix = matrix_of(content, night)
    tags = night.definitions.of(Tag)
    asked = [tags[tag].condition for tag in (matrix.tags if matrix else ()) if tag in tags]
    for lifecycle in night.definitions.of(Lifecycle).values():
        asked += [stage.when for stage in lifecycle.stages or ()]
    return {name for one in asked for name in held_sources(one, night)}


def _channel(found: sa.CTE, ways: Mapping[str, Way]) -> Expression:
    """The first channel in the person's order that is open to them; the first of all where none is."""
    order = [
        sa.func.split_part(found.c.channels, SEPARATOR, place, type_=sa.String) for place in range(1, len(ways) + 1)
    ]
    tests = [
        (sa.case({channel: found.c[f"is_open_{channel}"] for channel in ways}, value=one, else_=sa.false()), one)
        for one in order
    ]
    return sa.case((found.c.channels.is_(None), _text(None)), *tests, else_=order[0]) if order else _text(None)


def _on(placed: sa.CTE, part: str, ways: Mapping[str, Way]) -> Expression:
    """The address, or its hash, on the channel of each person."""
    known = {channel: placed.c[f"{part}_{channel}"] for channel in ways}
    return sa.case(known, value=placed.c.channel, else_=_text(None)) if known else _text(None)


def _text(value: str | None) -> Expression:
    return sa.cast(sa.null() if value is None else sa.literal(value), sa.String)
