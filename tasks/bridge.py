"""The bridge from the figure of one night to the figure of the next: each step computed over the pinned tables of both nights (R114).

What belongs here: which facts, definitions and date a step is computed with. What does not: the steps themselves (`vesper/bridge.py`), computing
marts (`tasks/trial.py`), words (`tasks/explain_figure.py`). Nothing is written.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tasks.sql import night_of
from tasks.trial import Trial
from vesper import bridge as ask
from vesper.marts import Mart
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

EARLIER, TONIGHT = "__earlier", "__tonight"
Values = dict[str, Decimal]


@dataclass
class Bridge:
    """Steps from the night `before_on` to the night `on`: by key the values at both ends and what each step adds."""

    before_on: dt.date
    on: dt.date
    starts: Values
    ends: Values
    steps: dict[str, Values]


@dataclass
class Figure:
    """A column of a mart, the rows that are asked for, and whether they are explained by their total."""

    house: House
    mart: Mart
    column: str
    where: Mapping[str, str]
    total: bool

    def select(self, table: sa.Table, on: dt.date) -> sa.Select[Any]:
        """Its values on a night, out of a table with the mart's columns."""
        return ask.figures(table, self.column, on, self.where, total=self.total)


def bridged(figure: Figure, before_on: dt.date, on: dt.date) -> Bridge:
    """The bridge between two published nights."""
    starts, ends = published_values(figure, before_on), published_values(figure, on)
    old, new = night_of(figure.house, figure.mart, before_on), night_of(figure.house, figure.mart, on)
    sized = replace(old, definitions=ask.with_sizes(old.definitions, new.definitions))
    ruled = replace(old, definitions=new.definitions)
    values = [
        starts,
        _computed(figure, old, before_on),
        _computed(figure, sized, before_on),
        _computed(figure, ruled, before_on),
        _computed(figure, new, before_on),
        _computed(figure, new, before_on, merged_on=on),
        _computed(figure, new, before_on, merged_on=on, late=True),
        ends,
    ]
    keys = sorted(set().union(*values))
    steps = {
        name: {key: values[place + 1].get(key, Decimal(0)) - values[place].get(key, Decimal(0)) for key in keys}
        for place, name in enumerate(ask.STEPS)
    }
    return Bridge(before_on, on, starts, ends, steps)


def published_values(figure: Figure, on: dt.date) -> Values:
    """The figure as it stands published for a night."""
    with Runner(figure.house.lake) as runner:
        runner.bind_snapshot(figure.mart.table, figure.house.lake.as_of(figure.mart.table.name, on))
        return _values(runner.rows(figure.select(figure.mart.table, on)))


def _computed(
    figure: Figure, night: Night, facts_on: dt.date, merged_on: dt.date | None = None, late: bool = False
) -> Values:
    """The figure of a night, over the facts that were published for `facts_on`, with tonight's merges and late rows where they are asked for."""
    table = figure.mart.table
    with Runner(figure.house.lake) as runner:
        bind_key(runner, figure.house.address_key)
        trial = Trial(figure.house, runner, night, facts_on)
        if merged_on:
            _merge(trial, merged_on)
        if merged_on and late:
            _add_late(trial, trial.facts_of([table.name]), facts_on, merged_on)
        trial.make([table.name])
        return _values(trial.rows(figure.select(table, night.business_on)))


def _merge(trial: Trial, merged_on: dt.date) -> None:
    earlier = _bound(trial, CONTACT, EARLIER, trial.facts_on or merged_on)
    trial.take(ask.without_merged(earlier, merged_on), CONTACT.name, merged_on)


def _add_late(trial: Trial, names: list[str], before_on: dt.date, on: dt.date) -> None:
    for name in names:
        declared = METADATA.tables[name]
        if declared.info["cut"] not in (None, "business_on"):
            trial.take(ask.known_late(_bound(trial, declared, TONIGHT, on), before_on), name, on)


def _bound(trial: Trial, declared: sa.Table, suffix: str, on: dt.date) -> sa.Table:
    """A table as published for a date, under a name of its own."""
    named = declared.to_metadata(sa.MetaData(), name=declared.name + suffix)
    trial.runner.bind_snapshot(named, trial.house.lake.as_of(declared.name, on))
    return named


def _values(rows: list[Any]) -> Values:
    return {row.key: Decimal(str(row.value)) for row in rows if row.value is not None}
