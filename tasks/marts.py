"""Filling the marts of a stage: every file of `vesper/marts` that names the stage, each after those it reads, on facts that are read once for all.

What belongs here: the order, and making what several Selects share. What does not: which contacts a night looks at (`tasks/incremental.py`).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tasks.bench import Bench
from tasks.incremental import incremental, may_be_incremental
from vesper.marts import Mart, all_marts, marts_of, reads
from vesper.shared import Shared
from vesper.tables.contact import CONTACT
from warehouse.memory import hold_at_most

OF_CONTACTS = ("measure", "score", "segment")
LEAST_MB, MB_OF_MILLION = 600, 450
"""Beyond what it may hold the engine works on disk; the process itself takes about 250 MB more."""


def fill_marts(bench: Bench, everybody: bool = False) -> None:
    """Fill every mart of the bench's stage; marts of contacts, unless `everybody` is asked for, for those whom the night touches."""
    with _uncollected():
        _fill_marts(bench, everybody)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Selects are very many objects that all live until the stage ends: the collector would look at each of them again and again and free nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fill_marts(bench: Bench, everybody: bool) -> None:
    snapshot = bench.snapshot(CONTACT.name)
    people = snapshot.row_count if snapshot else 0
    if bench.report.stage in OF_CONTACTS:
        hold_at_most(bench.runner, max(LEAST_MB, MB_OF_MILLION * people // 1_000_000))
    own = [mart.table.name for mart in all_marts().values() if mart.stage == bench.report.stage]
    unpublished = frozenset(name for name in own if bench.snapshot_before(name) is None)
    shared = Shared(people=people, unpublished=unpublished, is_of_few=not everybody and may_be_incremental(bench))
    marts = _shared_marts(bench, shared)
    few = incremental(bench, marts, shared) if shared.is_of_few else None
    if shared.is_of_few and few is None:
        shared = Shared(people=people, unpublished=unpublished)
        marts = _shared_marts(bench, shared)
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


def _shared_marts(bench: Bench, shared: Shared) -> list[tuple[Mart, Any]]:
    """The stage's marts with Selects that share what they read."""
    marts = marts_of(bench.report.stage, replace(bench.night, shared=shared))
    shared.want(select for _, select in marts)
    return list(marts)


def make_shared(bench: Bench, shared: Shared, select: Any) -> None:
    """Make the shared tables that a Select reads, and those that they read, unless they stand."""
    for name in sorted(reads(select)):
        behind = shared.made_by(name)
        if behind is not None and name not in bench.runner.bound:
            make_shared(bench, shared, behind)
            bench.materialize(behind, name)
