"""From one night's figure to the next: which steps lead there, and the Selects that each step needs (R114).

What belongs here: the steps in their order, a figure as a Select, the facts that a step holds back. What does not: computing the steps
(`tasks/bridge.py`) and their words (`tasks/explain_figure.py`).

Each step changes one thing and keeps all that the steps before it changed, so the contributions sum to the difference exactly. The order is a
choice, stated here once: computed again, market size, rule, time, merges, late data, new data.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.definition_set import DefinitionSet
from vesper.model.market import Market
from vesper.tables.contact import CONTACT
from vesper.tables.identity import CONTACT_ALIAS

STEPS = ("computed_again", "market_size", "rule", "time", "merges", "late_data", "new_data")
MOST_KEYS = 12
"""More rows than this are explained by their total."""


def keys_of(table: sa.Table) -> tuple[str, ...]:
    """What tells the rows of one night apart: the grain without the business date."""
    return tuple(name for name in table.info["grain"] if name != "business_on")


def row_count(table: sa.Table, night_on: dt.date, where: Mapping[str, str]) -> sa.Select[Any]:
    """How many rows a table has on a night."""
    return sa.select(sa.func.count()).select_from(table).where(*_chosen(table, night_on, where))


def figures(
    table: sa.Table, column: str, night_on: dt.date, where: Mapping[str, str], *, total: bool
) -> sa.Select[Any]:
    """key (the row's keys, joined by a slash) and value, one row per key; of `total` one row, with the sum, or with the count of true flags."""
    value = table.c[column]
    if total:
        number = sa.cast(value, sa.Integer) if isinstance(value.type, sa.Boolean) else value
        return sa.select(sa.literal("*").label("key"), sa.func.sum(number).label("value")).where(
            *_chosen(table, night_on, where)
        )
    key = sa.func.concat_ws("/", *[sa.cast(table.c[name], sa.String) for name in keys_of(table)])
    return sa.select(key.label("key"), value.label("value")).where(*_chosen(table, night_on, where)).order_by("key")


def _chosen(table: sa.Table, night_on: dt.date, where: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    tonight = [table.c.business_on == on(night_on)] if "business_on" in table.c else []
    return [*tonight, *[sa.cast(table.c[name], sa.String) == word for name, word in where.items()]]


def is_summable(column: sa.ColumnElement[Any]) -> bool:
    """Whether a difference of two values of the column means anything."""
    return isinstance(column.type, sa.Numeric | sa.Integer | sa.Boolean)


def with_sizes(before: DefinitionSet, after: DefinitionSet) -> DefinitionSet:
    """The earlier definitions with the later sizes of the markets: what a new estimate of a market alone does (decision 11)."""
    later = after.of(Market)
    sized = {
        id: market.model_copy(update={"size": later[id].size}) if id in later else market
        for id, market in before.of(Market).items()
    }
    return replace(before, items={**before.items, Market: sized})


def without_merged(earlier: sa.Table, night_on: dt.date) -> sa.Select[Any]:
    """The contacts of the night before that no merge of tonight took away. `earlier` is core__contact of that night under another name."""
    merged = sa.select(CONTACT_ALIAS.c.old_id).where(CONTACT_ALIAS.c.on == on(night_on))
    return sa.select(*[earlier.c[c.name] for c in CONTACT.c]).where(earlier.c.contact_id.not_in(merged))


def known_late(tonight: sa.Table, before_on: dt.date) -> sa.Select[Any]:
    """The facts of days up to the night before, as they are known tonight. `tonight` is a fact table of tonight under another name."""
    return sa.select(*tonight.c).where(tonight.c[tonight.info["cut"]] <= on(before_on))
