"""Filling the marts of a stage: every file of `vesper/marts` that names the stage, each after those it reads, on facts that are read once for all.

What belongs here: the order, and making what several Selects share. What does not: which contacts a night looks at (`tasks/incremental.py`).
"""

from dataclasses import replace
from typing import Any

from tasks.bench import Bench
from tasks.incremental import incremental
from vesper.marts import all_marts, marts_of, reads
from vesper.shared import Shared


def fill_marts(bench: Bench) -> None:
    """Fill every mart of the bench's stage; marts of contacts, where that is enough, for those whom the night touches."""
    own = [mart.table.name for mart in all_marts().values() if mart.stage == bench.report.stage]
    shared = Shared(unpublished=frozenset(name for name in own if bench.snapshot_before(name) is None))
    marts = marts_of(bench.report.stage, replace(bench.night, shared=shared))
    few = incremental(bench, marts, shared)
    shared.want(select for mart, select in marts if few is None or not mart.is_by_contact)
    for mart, select in marts:
        if few is not None and mart.is_by_contact:
            few.fill(mart, make_shared)
        else:
            make_shared(bench, shared, select)
            bench.fill(mart.table, select)


def make_shared(bench: Bench, shared: Shared, select: Any) -> None:
    """Make the shared tables that a Select reads, and those that they read, unless they stand."""
    for name in sorted(reads(select)):
        behind = shared.made_by(name)
        if behind is not None and name not in bench.runner.bound:
            make_shared(bench, shared, behind)
            bench.materialize(behind, name)
