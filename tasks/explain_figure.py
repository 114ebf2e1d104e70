"""`vesper explain TABLE COLUMN --on DATE`: a figure taken apart: formula, owner, definitions, inputs, and the bridge from the night before (R114).

What belongs here: the sections of the answer and their words, what is said when there is no such figure. What does not: the steps of the bridge
(`tasks/bridge.py`), people and campaigns (`tasks/explain.py`). Published figures are read as they were published; what a later run of the same
night made of them is shown beside.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.bridge import Bridge, Figure, bridged, published_values
from tasks.explain_asked import page, section, table
from tasks.sql import Unanswered, open_to_read
from vesper import bridge as ask
from vesper.language import Translate, translator
from vesper.marts import all_marts
from vesper.nearest import suggestion
from vesper.wording import figure as figure_of
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.runs import latest_run
from warehouse.ledger.schema import ACTIVATION, RUN_INPUT, SNAPSHOT
from warehouse.runner import Runner

STEP_WORDS = {
    "computed_again": "computed again by this version",
    "market_size": "market size",
    "rule": "rule or definition",
    "time": "time passing",
    "merges": "contacts merged",
    "late_data": "facts of earlier days that came later",
    "new_data": "new and changed data",
}
SHORT = 12


@dataclass
class Asked:
    """A figure that is asked for, on a published night."""

    house: House
    figure: Figure
    on: dt.date
    _: Translate

    @property
    def table(self) -> sa.Table:
        return self.figure.mart.table


def explain_figure(
    root: Path, table_name: str, column: str, on: dt.date | None = None, where: Mapping[str, str] | None = None
) -> str:
    """A column of a key-figure table on a night, the newest by itself. Raises Unanswered with the nearest name where there is no such figure."""
    with open_to_read(root) as house:
        asked = _asked(house, table_name, column, on, where or {})
        _ = asked._
        return page(
            f"{table_name} · {column} · {asked.on}",
            _what(asked),
            section(_("Figure"), _values(asked)),
            section(_("Bridge from the night before"), _bridge(asked)),
            section(_("Decided by"), _definitions(asked)),
            section(_("Made of"), _inputs(asked)),
        )


def _asked(house: House, name: str, column: str, on: dt.date | None, where: Mapping[str, str]) -> Asked:
    _ = translator(house.workspace.company.language)
    marts = all_marts()
    if name not in marts:
        said = _("There is no key-figure table {name}.").format(name=name)
        raise Unanswered(f"{said} {suggestion(name, marts, _)}")
    declared = marts[name].table
    for word in (column, *where):
        if word not in declared.c:
            said = _("{table} has no column {name}.").format(table=name, name=word)
            raise Unanswered(f"{said} {suggestion(word, declared.c.keys(), _)}")
    snapshot = house.lake.as_of(name, on) if on else house.lake.in_force(name)
    if snapshot is None or (on and snapshot.business_on != on):
        raise Unanswered(_("{table} was not published for {on}.").format(table=name, on=on or _("any night")))
    asked = Asked(house, Figure(house, marts[name], column, where, total=False), snapshot.business_on, _)
    if _count(asked) > ask.MOST_KEYS:
        asked.figure.total = True
    return asked


def _count(asked: Asked) -> int:
    with Runner(asked.house.lake) as runner:
        runner.bind_snapshot(asked.table, asked.house.lake.as_of(asked.table.name, asked.on))
        return int(runner.scalar(ask.row_count(asked.table, asked.on, asked.figure.where)))


def _what(asked: Asked) -> str:
    _ = asked._
    facts = {
        _("what it is"): _(str(asked.table.c[asked.figure.column].comment)),
        _("the table"): _(str(asked.table.comment)),
        _("owner"): asked.table.info["owner"],
        _("stage"): _(asked.figure.mart.stage),
        _("formula in SQL"): f"`vesper sql --show {asked.table.name}`",
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _values(asked: Asked) -> str:
    """By key: as first published, as a later run of the same night restated it, and the night before."""
    _ = asked._
    if not ask.is_summable(asked.table.c[asked.figure.column]):
        return _texts(asked)
    first, latest = _published(asked)
    before_on = _before(asked)
    before = published_values(asked.figure, before_on) if before_on else {}
    rows = [
        [
            key,
            _shown(asked, first.get(key)),
            _shown(asked, latest.get(key)) if latest.get(key) != first.get(key) else _("not restated"),
            _shown(asked, before.get(key)),
        ]
        for key in sorted(first.keys() | latest.keys())
    ]
    heads = [_keys(asked), _("as published"), _("restated"), str(before_on or _("night before"))]
    return table(heads, rows) or _("No row matches.")


def _texts(asked: Asked) -> str:
    """Columns that are no number have no sum and no difference: their values as they stand, but for personal ones (R122)."""
    if asked.figure.column in asked.table.info["personal"]:
        return asked._("The column is personal; its values are not shown.")
    with Runner(asked.house.lake) as runner:
        runner.bind_snapshot(asked.table, asked.house.lake.as_of(asked.table.name, asked.on))
        if asked.figure.total:
            return asked._("Too many rows to show; narrow them with --where COLUMN=VALUE.")
        rows = runner.rows(asked.figure.select(asked.table, asked.on))
    return table([_keys(asked), asked.figure.column], [[row.key, figure_of(row.value)] for row in rows])


def _published(asked: Asked) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """The figure in the first and in the newest snapshot of the night."""
    query = sa.select(SNAPSHOT.c.snapshot_id).where(
        SNAPSHOT.c.table_name == asked.table.name, SNAPSHOT.c.business_on == asked.on
    )
    with reading(asked.house.engine) as connection:
        ids = sorted(connection.scalars(query))
    found = [_of_snapshot(asked, id) for id in (ids[0], ids[-1])]
    return found[0], found[1]


def _of_snapshot(asked: Asked, snapshot_id: int) -> dict[str, Decimal]:
    with Runner(asked.house.lake) as runner:
        runner.bind_snapshot(asked.table, asked.house.lake.snapshot(snapshot_id))
        rows = runner.rows(asked.figure.select(asked.table, asked.on))
    return {row.key: Decimal(str(row.value)) for row in rows if row.value is not None}


def _keys(asked: Asked) -> str:
    return asked._("all rows") if asked.figure.total else "/".join(ask.keys_of(asked.table))


def _before(asked: Asked) -> dt.date | None:
    snapshot = asked.house.lake.before(asked.table.name, asked.on)
    return snapshot.business_on if snapshot else None


def _bridge(asked: Asked) -> str:
    _ = asked._
    before_on = _before(asked)
    if not ask.is_summable(asked.table.c[asked.figure.column]):
        return _("A text has no bridge.")
    if before_on is None:
        return _("No night before this one is published.")
    if asked.figure.mart.stage not in ("measure", "score", "segment"):
        return _("Figures of the stage {stage} have no bridge: they copy what the ledger or the sources say.").format(
            stage=_(asked.figure.mart.stage)
        )
    return _steps(asked, bridged(asked.figure, before_on, asked.on))


def _steps(asked: Asked, found: Bridge) -> str:
    """One column of figures per key, one line per step that adds anything."""
    _ = asked._
    keys = sorted(found.starts.keys() | found.ends.keys())
    lines = [[str(found.before_on), *[_shown(asked, found.starts.get(key)) for key in keys]]]
    for name, added in found.steps.items():
        if any(added.get(key) for key in keys):
            lines.append([f"{_(STEP_WORDS[name])}", *[_signed(asked, added.get(key)) for key in keys]])
    lines.append([str(found.on), *[_shown(asked, found.ends.get(key)) for key in keys]])
    return table([_keys(asked), *keys], lines)


def _shown(asked: Asked, value: Decimal | None) -> str:
    if value is None:
        return "-"
    whole = value == value.to_integral_value() and not asked.figure.column.endswith("_ratio")
    return figure_of(int(value) if whole else value, asked.figure.column)


def _signed(asked: Asked, value: Decimal | None) -> str:
    if not value:
        return "·"
    sign = "+" if value > 0 else "−"
    return f"{sign}{_shown(asked, abs(value))}"


def _definitions(asked: Asked) -> str:
    """The newest activations that the run stood on; policies, which every stage reads, come last."""
    _ = asked._
    run = _run(asked)
    if run is None:
        return "-"
    query = (
        sa.select(ACTIVATION)
        .where(ACTIVATION.c.activation_id <= run["activation_id"], ACTIVATION.c.kind.in_(_kinds(asked)))
        .order_by(ACTIVATION.c.kind == "policy", ACTIVATION.c.activation_id.desc())
        .limit(ask.MOST_KEYS)
    )
    with reading(asked.house.engine) as connection:
        found = list(connection.execute(query))
    rows = [
        [f"{r.kind}/{r.id}", (r.hash or "-")[:SHORT], r.by, f"{r.at:%Y-%m-%d %H:%M}", r.reason or "-"] for r in found
    ]
    said = _("Vesper {version}, run {run}.").format(version=run["version"], run=run["run_id"][:8])
    return said + "\n\n" + table([_("definition"), _("hash"), _("activated by"), _("at (UTC)"), _("reason")], rows)


def _kinds(asked: Asked) -> list[str]:
    """Kinds of definitions that a stage reads."""
    upstream = {"measure": ["markets", "tags", "tiers", "personas"], "score": ["scoring", "lifecycle"]}
    upstream["segment"] = ["segments"]
    return [*upstream.get(asked.figure.mart.stage, []), "policy"]


def _run(asked: Asked) -> Any:
    with reading(asked.house.engine) as connection:
        return latest_run(connection, asked.figure.mart.stage, asked.on)


def _inputs(asked: Asked) -> str:
    """The snapshots that the run was pinned to, with their rows."""
    _ = asked._
    run = _run(asked)
    if run is None:
        return "-"
    query = (
        sa.select(RUN_INPUT.c.table_name, SNAPSHOT.c.snapshot_id, SNAPSHOT.c.business_on, SNAPSHOT.c.row_count)
        .join_from(RUN_INPUT, SNAPSHOT, SNAPSHOT.c.snapshot_id == RUN_INPUT.c.snapshot_id)
        .where(RUN_INPUT.c.run_id == run["run_id"])
        .order_by(RUN_INPUT.c.table_name)
    )
    with reading(asked.house.engine) as connection:
        rows = [list(map(figure_of, row)) for row in connection.execute(query)]
    return table([_("the table"), _("snapshot"), _("night"), _("rows")], rows)
