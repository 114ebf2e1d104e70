"""Filling the marts of a stage: every file of `vesper/marts` that names the stage, each after those it reads, on facts that are read once for all.

What belongs here: the order, and making what several Selects share. What does not: which contacts a night looks at (`tasks/incremental.py`).
"""

from dataclasses import replace
from typing import Any

from tasks.bench import Bench
from tasks.incremental import incremental
from vesper.marts import all_marts, marts_of, reads
from vesper.shared import Shared
from vesper.tables.contact import CONTACT
from warehouse.runner import hold_at_most

LEAST_MB, MB_OF_MILLION = 600, 450
"""Beyond what it may hold the engine works on disk; the process itself takes about 250 MB more."""


def fill_marts(bench: Bench, everybody: bool = False) -> None:
    """Fill every mart of the bench's stage; marts of contacts, unless `everybody` is asked for, for those whom the night touches."""
    hold_at_most(bench.runner, _megabytes(bench))
    own = [mart.table.name for mart in all_marts().values() if mart.stage == bench.report.stage]
    shared = Shared(unpublished=frozenset(name for name in own if bench.snapshot_before(name) is None))
    marts = marts_of(bench.report.stage, replace(bench.night, shared=shared))
    shared.want(select for _, select in marts)
    few = None if everybody else incremental(bench, marts, shared)
    was_by_contact = False
    for mart, select in marts:
        if few is not None and mart.is_by_contact != was_by_contact:
            few.forget_shared()
            was_by_contact = mart.is_by_contact
        if few is not None and mart.is_by_contact:
            few.fill(mart, select, make_shared)
        else:
            make_shared(bench, shared, select)
            bench.fill(mart.table, select)


def _megabytes(bench: Bench) -> int:
    """What the engine may hold: enough for a million contacts, and more where there are more of them."""
    people = bench.snapshot(CONTACT.name)
    return max(LEAST_MB, MB_OF_MILLION * (people.row_count if people else 0) // 1_000_000)


def make_shared(bench: Bench, shared: Shared, select: Any) -> None:
    """Make the shared tables that a Select reads, and those that they read, unless they stand."""
    for name in sorted(reads(select)):
        behind = shared.made_by(name)
        if behind is not None and name not in bench.runner.bound:
            make_shared(bench, shared, behind)
            bench.materialize(behind, name)
