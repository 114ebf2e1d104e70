"""Scoring: the weight of evidence, in thousandths of a bit, that two records are one person.

What belongs here: pairs and their weights, from a trained linkage. What does not: training, and what follows from a weight (clusters).
"""

import pyarrow as pa
import sqlalchemy as sa

from vesper.model.linkage import Linkage, population
from warehouse.linkage.blocking import friends_sql, pairs_sql
from warehouse.linkage.settings import NotTrained, scaled
from warehouse.linkage.training import PREPARED, prepared
from warehouse.linkage.weights import weighed_sql
from warehouse.runner import Runner

FRESH, PAIRS, FRIENDS, SCORED = "linkage_fresh", "linkage_pairs", "linkage_friends", "linkage_scored"


def scored(
    runner: Runner, records: sa.Table, linkage: Linkage, fresh: str | None = None, count: int | None = None
) -> pa.Table:
    """Pairs of records that may be one person: record_a < record_b, and the weight that they are.

    Args:
        records: a bound table whose first column names the record. Where only some are fresh, it may leave out those that are in no pair with one
            of them (`blocking.near_values`).
        fresh: a bound table whose first column names the records to score; only pairs that touch one of them.
        count: how many records there are in all, where `records` leaves some out: weights are as they are among so many.

    Raises NotTrained for a linkage that was never trained, or not since it changed; ValueError for one with friends when only some records
    are fresh.
    """
    if linkage.model is None:
        raise NotTrained(linkage.id)
    if fresh and linkage.has_friends:
        raise ValueError(f"The linkage {linkage.id} scores friends of friends, so it is rebuilt whole.")
    with prepared(runner, records, linkage) as held:
        if fresh:
            name = runner.query(f'describe "{fresh}"').fetchall()[0][0]
            among = f'select "{name}" from "{fresh}"'
            runner.query(f"create or replace temp table {FRESH} as select id from {PREPARED} where record in ({among})")
        pairs = pairs_sql(linkage.blocking, PREPARED, FRESH if fresh else None)
        runner.query(f"create or replace temp table {PAIRS} as {pairs}")
        _score(runner, linkage, PAIRS, count or held, f"create or replace temp table {SCORED} as")
        if linkage.has_friends:
            links = f"(select a, b from {SCORED} where weight >= {linkage.clusters.keep})"
            runner.query(f"create or replace temp table {FRIENDS} as {friends_sql(links, PAIRS)}")
            _score(runner, linkage, FRIENDS, held, f"insert into {SCORED}")
        return _named(runner, linkage.smallest)


def _score(runner: Runner, linkage: Linkage, pairs: str, count: int, into: str) -> None:
    """Weights of pairs (a, b) into the table of scored pairs."""
    assert linkage.model is not None
    model = scaled(linkage, linkage.model, population(count))
    runner.query(f"{into} {weighed_sql(linkage, model, pairs, PREPARED)}")


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
