"""New versions of rows: what arrived against what is known, by the key of the source (R1: new, changed, unchanged)."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import local_day
from vesper.model.source import Source
from vesper.tables.raw import HAPPENED, is_cut

ARRIVAL = ("received_at", "file", "source_row")


def placed(typed: sa.Select[Any], source: Source, zone: str) -> sa.Select[Any]:
    """Judged rows with the company day on which they happened, when the source is of things that happen."""
    if not is_cut(source):
        return typed
    rows = typed.subquery("typed")
    happened = HAPPENED[source.feeds]
    kind = source.fields[happened].type
    day = rows.c[happened] if kind == "date" else local_day(rows.c[happened], zone)
    return sa.select(day.label("on"), rows)


def good(judged: sa.FromClause, source: Source) -> sa.Select[Any]:
    """The rows that broke no rule: their day where there is one, the declared fields, their arrival."""
    day = [judged.c.on] if is_cut(source) else []
    return sa.select(*day, *[judged.c[name] for name in (*source.fields, *ARRIVAL)]).where(
        judged.c.failed_rule.is_(None)
    )


def may_repeat(arrived: sa.FromClause, source: Source) -> sa.Select[Any]:
    """Quick and never wrong about a no: 0 when no two rows share their key, by hashes of keys."""
    hashes = sa.func.hash(*[arrived.c[name] for name in source.key])
    return sa.select(sa.func.count() - sa.func.count(hashes.distinct()))


def repeated(arrived: sa.FromClause, source: Source) -> sa.Select[Any]:
    """How many rows are superseded: those that another row of the batch shares its key with, less one for each key."""
    keys = sa.func.row(*[arrived.c[name] for name in source.key]) if len(source.key) > 1 else arrived.c[source.key[0]]
    return sa.select(sa.func.count() - sa.func.count(keys.distinct()))


def newest(arrived: sa.FromClause, source: Source) -> sa.Select[Any]:
    """One row per key: of several in the batch, the last one that said something new, so that a row that only repeats keeps its arrival.

    `is_revised` tells that it differs from the one before it in the batch. Whether the files came in one night or in several, the same row stays.
    """
    order = [arrived.c[name] for name in ARRIVAL]
    mine = [arrived.c[name] for name in source.key]
    said = sa.func.row(*[arrived.c[name] for name in source.fields])
    before = sa.func.lag(said).over(partition_by=mine, order_by=order)
    place = sa.func.row_number().over(partition_by=mine, order_by=order)
    told = sa.select(arrived, said.is_distinct_from(before).label("is_news"), (place > 1).label("is_revised")).subquery(
        "told"
    )
    latest = sa.func.row_number().over(
        partition_by=[told.c[name] for name in source.key], order_by=[told.c[name].desc() for name in ARRIVAL]
    )
    ranked = sa.select(told, latest.label("latest")).where(told.c.is_news).subquery("ranked")
    return sa.select(*[ranked.c[c.name] for c in arrived.c], ranked.c.is_revised).where(ranked.c.latest == 1)


def compared(arrived: sa.FromClause, known: sa.FromClause, source: Source) -> sa.Select[Any]:
    """Arrived rows with `verdict`: new, changed or unchanged against the known row of the same key, and the known row's day."""
    same_key = sa.and_(*[arrived.c[name] == known.c[name] for name in source.key])
    key = known.c[source.key[0]]
    differs = sa.or_(*[arrived.c[name].is_distinct_from(known.c[name]) for name in source.fields])
    if "is_revised" in arrived.c:
        differs = sa.or_(arrived.c.is_revised, differs)
    verdict = sa.case((key.is_(None), "new"), (differs, "changed"), else_="unchanged")
    known_day = known.c.on if is_cut(source) else sa.cast(sa.null(), sa.Date)
    return sa.select(arrived, verdict.label("verdict"), known_day.label("known_on")).select_from(
        arrived.join(known, same_key, isouter=True)
    )


def all_new(arrived: sa.FromClause, source: Source) -> sa.Select[Any]:
    """The same on the first night, when nothing is known."""
    return sa.select(arrived, sa.literal("new").label("verdict"), sa.cast(sa.null(), sa.Date).label("known_on"))


def verdicts(judged: sa.FromClause) -> sa.Select[Any]:
    """Counts by verdict."""
    return sa.select(judged.c.verdict, sa.func.count().label("row_count")).group_by(judged.c.verdict)


def changed_days(judged: sa.FromClause) -> sa.CompoundSelect[Any]:
    """Days whose rows differ from the night before's: those of new and changed rows, and those that changed rows moved away from."""
    moved = judged.c.verdict != "unchanged"
    now_on = sa.select(judged.c.on.label("on")).where(moved)
    was_on = sa.select(judged.c.known_on).where(moved, judged.c.known_on.is_not(None))
    return sa.union(now_on, was_on)


def merged(judged: sa.FromClause, known: sa.FromClause, source: Source) -> sa.CompoundSelect[Any]:
    """The whole table after the night: new and changed rows, and known rows that nothing replaced."""
    columns = [c.name for c in known.c]
    replaced = sa.and_(*[judged.c[name] == known.c[name] for name in source.key], judged.c.verdict != "unchanged")
    stayed = sa.select(*[known.c[name] for name in columns]).where(~sa.exists().where(replaced))
    return sa.union_all(came(judged, known), stayed)


def came(judged: sa.FromClause, known: sa.FromClause) -> sa.Select[Any]:
    """New and changed rows in the columns of the raw table."""
    return sa.select(*[judged.c[c.name] for c in known.c]).where(judged.c.verdict != "unchanged")
