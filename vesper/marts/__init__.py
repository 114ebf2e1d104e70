"""Key-figure tables, one file each: declaration, checks and Select together. A new file here is a new table; nothing else is edited.

Each module declares its tables with `vesper.tables.declare.table` and decorates a function `Night -> Select` with `@mart(TABLE, stage=...)`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Any

import sqlalchemy as sa

from vesper.night import Night

Decision = Callable[[Night], sa.Select[Any] | sa.CompoundSelect[Any]]
_MARTS: dict[str, "Mart"] = {}


@dataclass(frozen=True)
class Mart:
    """A table, the stage that writes it, and the Select that fills it."""

    table: sa.Table
    stage: str
    select: Decision
    is_by_contact: bool = False
    """A contact's rows are made of its own rows alone, so that a night may make those of touched contacts only (`vesper/touched.py`)."""


def mart(declared: sa.Table, *, stage: str, is_by_contact: bool = False) -> Callable[[Decision], Decision]:
    """Register a function as the content of a declared table, written in `stage` (consolidate, measure, score, handover, segment, send or watch)."""

    def register(decision: Decision) -> Decision:
        _MARTS[declared.name] = Mart(declared, stage, decision, is_by_contact)
        return decision

    return register


def all_marts() -> dict[str, Mart]:
    """Every mart of this package by table name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_MARTS.items()))


@lru_cache(maxsize=256)
def reads(select: sa.ClauseElement) -> frozenset[str]:
    """Names of the declared tables that a Select reads, wherever they stand in it. Each Select is walked once."""
    return frozenset(item.name for item in elements(select) if isinstance(item, sa.Table))


def elements(select: sa.ClauseElement) -> Iterator[Any]:
    """Every element of a Select once: a CTE that ten others read is walked once, not ten times over."""
    seen: dict[int, Any] = {}
    waiting: list[Any] = [select]
    while waiting:
        item = waiting.pop()
        if id(item) not in seen:
            seen[id(item)] = item
            yield item
            waiting.extend(item.get_children())


def marts_of(stage: str, night: Night) -> list[tuple[Mart, sa.Select[Any] | sa.CompoundSelect[Any]]]:
    """The stage's marts with their Selects, each after those it reads (graphlib.CycleError on a cycle)."""
    own = {name: m for name, m in all_marts().items() if m.stage == stage}
    selects = {name: m.select(night) for name, m in own.items()}
    order = TopologicalSorter({name: sorted(_reads(s, night) & own.keys() - {name}) for name, s in selects.items()})
    return [(own[name], selects[name]) for name in order.static_order()]


def _reads(select: sa.ClauseElement, night: Night) -> frozenset[str]:
    """Names that a Select reads, and those that the shared tables among them are made from."""
    names = reads(select)
    behind = [made for name in names if night.shared and (made := night.shared.made_by(name)) is not None]
    return names.union(*[_reads(made, night) for made in behind])
