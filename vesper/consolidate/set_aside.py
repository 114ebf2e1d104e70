"""Rows that were set aside: which of them wait, and their way back among the rows that came after them.

What belongs here: the Selects, and what a request to judge rows again says. What does not: who asks (`tasks/quarantine.py`), which files are
there (`tasks/requeue.py`), and what new, changed and unchanged mean (`upsert.py`).

A row waits from the night that set it aside until a later night judged it again, or its file was delivered anew. A row that is judged again is
older than much of what is known, so it is put into the order of arrival with what was said of its key since: only the last word counts.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper import clock
from vesper.consolidate.upsert import newest
from vesper.model.source import Source

STAGE = "consolidate"
TONIGHT, REVISED = "is_tonight", "is_revised"


@dataclass(frozen=True)
class Request:
    """Rows of a source are to be judged again; `rule` None means all that wait.

    `recorded_on` is the first night that it binds, `done_on` the night that did it; rows of the files in `left` could not be taken then.
    """

    requeue_id: int
    source: str
    rule: str | None
    recorded_on: dt.date
    done_on: dt.date | None = None
    left: tuple[str, ...] = ()

    def covers(self, rule: str) -> bool:
        return self.rule in (None, rule)


def waiting(
    quarantine: sa.FromClause, done: Iterable[Request], delivered_on: Mapping[tuple[str, str], dt.date]
) -> sa.Select[Any]:
    """Rows that wait: source, rule_id, file, source_row and the night that set them aside. Nothing personal.

    Args:
        done: requests that nights have carried out; what they judged again and set aside again waits as of that night.
        delivered_on: by (source, file) the night that took in the file's newest delivery; rows of an earlier one wait no longer.
    """
    rows = sa.select(
        quarantine.c.source,
        quarantine.c.rule_id,
        sa.func.regexp_replace(quarantine.c.row_key, r":\d+$", "", type_=sa.String).label("file"),
        sa.cast(sa.func.regexp_extract(quarantine.c.row_key, r"\d+$"), sa.BigInteger).label("source_row"),
        quarantine.c.business_on,
    )
    found = rows.where(quarantine.c.stage == STAGE).subquery("set_aside")
    ended = [_judged_by(found, request) for request in done]
    for (source, file), on in sorted(delivered_on.items()):
        same = sa.and_(found.c.source == source, found.c.file == file)
        ended.append(sa.and_(same, found.c.business_on < clock.on(on)))
    return sa.select(found).where(~sa.or_(sa.false(), *ended))


def _judged_by(rows: sa.FromClause, request: Request) -> sa.ColumnElement[bool]:
    assert request.done_on is not None
    covered = [rows.c.source == request.source, rows.c.business_on < clock.on(request.done_on)]
    if request.rule is not None:
        covered.append(rows.c.rule_id == request.rule)
    if request.left:
        covered.append(rows.c.file.not_in(request.left))
    return sa.and_(*covered)


def counted(rows: sa.FromClause) -> sa.Select[Any]:
    """Waiting rows by source, rule and file, with the night that set the first of them aside."""
    grain = [rows.c.source, rows.c.rule_id, rows.c.file]
    return (
        sa.select(*grain, sa.func.count().label("row_count"), sa.func.min(rows.c.business_on).label("since_on"))
        .group_by(*grain)
        .order_by(*grain)
    )


def asked_for(rows: sa.FromClause, requests: Sequence[Request]) -> sa.Select[Any]:
    """The waiting rows that requests name: file and source_row, each once."""
    named = sa.select(rows.c.file, rows.c.source_row).distinct()
    if any(request.rule is None for request in requests):
        return named
    return named.where(rows.c.rule_id.in_(sorted({str(request.rule) for request in requests})))


def narrowed(incoming: sa.FromClause, wanted: sa.FromClause, files: Collection[str]) -> sa.FromClause:
    """A batch in which these files count by their wanted rows only; all other files whole."""
    others = incoming.c.file.not_in(sorted(files))
    return sa.select(incoming).where(sa.or_(others, _holds(wanted, incoming))).subquery("narrowed")


def without(told: sa.FromClause, rows: sa.FromClause) -> sa.Select[Any]:
    """Rows of files, without those that wait."""
    return sa.select(told).where(~_holds(rows, told))


def _holds(places: sa.FromClause, rows: sa.FromClause) -> sa.ColumnElement[bool]:
    same = sa.and_(places.c.file == rows.c.file, places.c.source_row == rows.c.source_row)
    return sa.exists().where(same)


def of_the_keys(rows: sa.FromClause, arrived: sa.FromClause, source: Source, files: Collection[str]) -> sa.Select[Any]:
    """Those of `rows` whose key a good row out of these files has: their fields, day and arrival, in the columns of `arrived`."""
    again = arrived.alias("again")
    same = sa.and_(*[again.c[name] == rows.c[name] for name in source.key], again.c.file.in_(sorted(files)))
    return sa.select(*[rows.c[c.name] for c in arrived.c]).where(sa.exists().where(same))


def in_doubt(arrived: sa.FromClause, known: sa.FromClause, source: Source, files: Collection[str]) -> sa.Select[Any]:
    """When the first row out of these files came that says something else than an older known row: what was said since must be looked at.

    A known row keeps its arrival when a later file only repeats it, so that it does not tell by itself when it was said last. NULL: no doubt.
    """
    same_key = sa.and_(*[arrived.c[name] == known.c[name] for name in source.key])
    differs = sa.or_(*[arrived.c[name].is_distinct_from(known.c[name]) for name in source.fields])
    is_later = arrived.c.received_at >= known.c.received_at
    first = sa.select(sa.func.min(arrived.c.received_at)).select_from(arrived.join(known, same_key))
    return first.where(arrived.c.file.in_(sorted(files)), differs, is_later)


def changes_among(judged: sa.FromClause, files: Collection[str]) -> sa.Select[Any]:
    """How many of the changed rows were asked for: they came out of these files."""
    changed = sa.and_(judged.c.verdict == "changed", judged.c.file.in_(sorted(files)))
    return sa.select(sa.func.count()).select_from(judged).where(changed)


def undisputed(
    arrived: sa.FromClause, known: sa.FromClause, source: Source, files: Collection[str], through: dt.datetime
) -> sa.Select[Any]:
    """`arrived` without rows out of these files that came up to an instant and whose key is known."""
    same_key = sa.and_(*[arrived.c[name] == known.c[name] for name in source.key])
    disputed = sa.and_(
        arrived.c.file.in_(sorted(files)), arrived.c.received_at <= clock.at(through), sa.exists().where(same_key)
    )
    return sa.select(arrived).where(~disputed)


def last_words(tonight: sa.FromClause, said: Sequence[sa.FromClause], source: Source, files: Collection[str]) -> Any:
    """One row per key that came tonight and is the last word about it, in the shape of `upsert.newest`.

    Args:
        said: rows that nights hold already, of the same columns: where one of them is the last word, no row of tonight is.
        files: those whose rows are judged again; such a row is news only where it differs from the known row.
    """
    names = [c.name for c in tonight.c]
    every = [(tonight, sa.true()), *[(rows, sa.false()) for rows in said]]
    rows = sa.union_all(
        *[sa.select(*[each.c[name] for name in names], flag.label(TONIGHT)) for each, flag in every]
    ).subquery("said")
    last = newest(rows, source).subquery("last")
    is_revised = sa.and_(last.c[REVISED], last.c.file.not_in(sorted(files)))
    return sa.select(*[last.c[name] for name in names], is_revised.label(REVISED)).where(last.c[TONIGHT])
