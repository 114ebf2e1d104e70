"""Scoring: the weight of evidence, in thousandths of a bit, that two records are one person.

What belongs here: pairs and their weights, from a trained linkage. What does not: training, and what follows from a weight (clusters).
"""

import pyarrow as pa
import sqlalchemy as sa

from vesper.model.linkage import Linkage, population
from warehouse.linkage.blocking import friends_sql, near_sql, pairs_sql
from warehouse.linkage.settings import NotTrained, linker_of, scaled, splink_settings
from warehouse.linkage.training import PREPARED, prepared
from warehouse.runner import Runner

FRESH_ROWS, NEAR = "linkage_fresh_rows", "linkage_near"
FRESH, PAIRS, FRIENDS, SCORED = "linkage_fresh", "linkage_pairs", "linkage_friends", "linkage_scored"


def scored(runner: Runner, records: sa.Table, linkage: Linkage, fresh: str | None = None) -> pa.Table:
    """Pairs of records that may be one person: record_a < record_b, and the weight that they are.

    Args:
        records: a bound table whose first column names the record; every record, also when only some are fresh.
        fresh: a bound table whose first column names the records to score; only pairs that touch one of them. Where it has all columns of
            `records`, its rows are these records, and they are not looked up.

    Raises NotTrained for a linkage that was never trained, or not since it changed; ValueError for one with friends when only some records
    are fresh.
    """
    if linkage.model is None:
        raise NotTrained(linkage.id)
    if fresh and linkage.has_friends:
        raise ValueError(f"The linkage {linkage.id} scores friends of friends, so it is rebuilt whole.")
    if not fresh:
        return _weighed(runner, records, linkage, None, None)
    every, identifier = f'"{records.name}"', records.c.keys()[0]
    held = [row[0] for row in runner.query(f'describe "{fresh}"').fetchall()]
    names = f'select "{held[0]}" from "{fresh}"'
    count = runner.query(f"select count(*) from {every}").fetchall()[0][0]
    read = list(dict.fromkeys([identifier, *(field.column for field in linkage.fields.values())]))
    columns = ", ".join(f'"{name}"' for name in read)
    has_rows = set(read) <= set(held)
    source = f'"{fresh}"' if has_rows else f'{every} where "{identifier}" in ({names})'
    runner.query(f"create or replace temp table {FRESH_ROWS} as select {columns} from {source}")
    runner.query(f"create or replace temp table {NEAR} as {near_sql(linkage, columns, every, FRESH_ROWS)}")
    known = f'select "{identifier}" from {NEAR}'
    runner.query(f'insert into {NEAR} select * from {FRESH_ROWS} where "{identifier}" not in ({known})')
    try:
        near = sa.Table(NEAR, sa.MetaData(), *[sa.Column(name, sa.String()) for name in read])
        return _weighed(runner, near, linkage, names, count)
    finally:
        runner.query(f"drop table {NEAR}; drop table {FRESH_ROWS}")


def _weighed(runner: Runner, records: sa.Table, linkage: Linkage, fresh: str | None, count: int | None) -> pa.Table:
    """Weights of the pairs of records, as they are among `count` of them."""
    with prepared(runner, records, linkage) as held:
        if fresh:
            runner.query(f"create or replace temp table {FRESH} as select id from {PREPARED} where record in ({fresh})")
        runner.query(
            f"create or replace temp table {PAIRS} as {pairs_sql(linkage.blocking, PREPARED, FRESH if fresh else None)}"
        )
        _score(runner, linkage, PAIRS, count or held, f"create or replace temp table {SCORED} as")
        if linkage.has_friends:
            links = f"(select a, b from {SCORED} where weight >= {linkage.clusters.keep})"
            runner.query(f"create or replace temp table {FRIENDS} as {friends_sql(links, PAIRS)}")
            _score(runner, linkage, FRIENDS, held, f"insert into {SCORED}")
        return _named(runner, linkage.smallest)


def _score(runner: Runner, linkage: Linkage, pairs: str, count: int, into: str) -> None:
    """Weights of pairs (a, b), by Splink, into the table of scored pairs."""
    assert linkage.model is not None
    settings = splink_settings(linkage, scaled(linkage, linkage.model, population(count)))
    blocked = f"{pairs}_blocked"
    # Splink's own shape of blocked pairs.
    runner.query(
        f"create or replace temp view {blocked} as select '0' as match_key, a as join_key_l, b as join_key_r from {pairs}"
    )
    with linker_of(runner, PREPARED, settings) as linker:
        linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register(blocked))
        found = linker.inference.predict(warning_mode="never")
        weight = "cast(round(match_weight * 1000) as integer)"
        runner.query(f"{into} select id_l as a, id_r as b, {weight} as weight from {found.physical_name}")
        found.drop_table_from_database_and_remove_from_cache()
    runner.query(f"drop view {blocked}")


def _named(runner: Runner, smallest: int | None) -> pa.Table:
    """The scored pairs by the names of their records, in order; what scoring left behind is dropped."""
    where = "" if smallest is None else f"where s.weight >= {smallest}"
    found = runner.connection.sql(
        f"select l.record as record_a, r.record as record_b, s.weight from {SCORED} s join {PREPARED} l on l.id = s.a "
        f"join {PREPARED} r on r.id = s.b {where} order by s.a, s.b"
    ).to_arrow_table()
    for name in (FRESH, PAIRS, FRIENDS, SCORED):
        runner.query(f"drop table if exists {name}")
    return found
