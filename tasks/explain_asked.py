"""One question of `vesper explain` at work: the pinned tables, the ledger, the definitions that decided; and the markdown of an answer.

What belongs here: what the answers about people and about campaigns share. What does not: either answer (`tasks/explain_person.py`,
`tasks/explain_campaign.py`).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.sql import open_to_read, published
from vesper.clock import local_time
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.marts import reads
from vesper.marts.message import MESSAGE
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.tier import TIER
from vesper.model.campaign import Campaign
from vesper.model.journey import Journey
from vesper.model.outreach import Outreach
from vesper.tables.contact import CONTACT
from vesper.tables.declare import METADATA, PREVIOUS
from warehouse.house import House
from warehouse.lake import Snapshot
from warehouse.ledger.engine import reading
from warehouse.ledger.runs import latest_run
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

SHORT = 16
SHOWN = {
    "consolidate": CONTACT.name,
    "measure": TIER.name,
    "score": SCORE.name,
    "segment": SEGMENT_MEMBER.name,
    "send": MESSAGE.name,
}
"""Of each stage that decides something here, a table that its run publishes."""


@dataclass
class Asked:
    """One question at work: the pinned tables, the ledger, the definitions of the runs that decided, and the language."""

    house: House
    runner: Runner
    pinned: dict[str, Snapshot]
    _: Translate
    _definitions: dict[int | None, DefinitionSet] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.house.workspace.company.language

    def rows(self, select: sa.ClauseElement) -> list[Any]:
        """Rows of a Select over the pinned tables; a table that no night has published reads as empty."""
        for name in sorted(reads(select) - self.runner.bound.keys()):
            self._bind(name)
        return self.runner.rows(select)

    def _bind(self, name: str) -> None:
        base = METADATA.tables[name.removesuffix(PREVIOUS)]
        snapshot = self.pinned.get(base.name)
        if name != base.name and snapshot:
            snapshot = self.house.lake.before(base.name, snapshot.business_on)
        self.runner.bind_snapshot(base.to_metadata(sa.MetaData(), name=name), snapshot)

    def ledger(self, query: sa.Select[Any]) -> list[Any]:
        with reading(self.house.engine) as connection:
            return list(connection.execute(query).all())

    def definitions(self, stage: str) -> DefinitionSet:
        """The definitions that the stage's published run decided by; those in force now while it has none."""
        snapshot = self.pinned.get(SHOWN[stage])
        run = None
        if snapshot:
            with reading(self.house.engine) as connection:
                run = latest_run(connection, stage, snapshot.business_on)
        activation = run["activation_id"] if run else None
        if activation not in self._definitions:
            self._definitions[activation] = self.house.definitions_at(activation)
        return self._definitions[activation]

    @property
    def outreaches(self) -> dict[str, Outreach]:
        """The campaigns and journeys that the send stage decided by, by id."""
        known = self.definitions("send")
        return {**known.of(Campaign), **known.of(Journey)}

    def decided_by(self, stage: str, name: str) -> str:
        """The file of a definition and the hash of the text that decided; whether the file lies here or ships with Vesper."""
        digest = self.definitions(stage).hashes.get(name)
        if digest is None:
            return "-"
        own = self.house.workspace.root / "definitions" / f"{name}.yml"
        whose = "" if own.is_file() else f" ({self._('ships with Vesper')})"
        return f"`definitions/{name}.yml`{whose} {digest[:SHORT]}"

    def time(self, at: dt.datetime | None) -> str:
        """An instant in the company's zone."""
        if at is None:
            return "-"
        return local_time(at, self.house.workspace.company.zone).strftime("%Y-%m-%d %H:%M")

    def word(self, code: str | None) -> str:
        """A code of the ledger or of a table in words."""
        return self._(code.replace("_", " ")) if code else "-"


@contextmanager
def asking(root: Path) -> Iterator[Asked]:
    """A question about a workspace, with its tables pinned."""
    with open_to_read(root) as house, Runner(house.lake) as runner:
        bind_key(runner, house.address_key)
        yield Asked(house, runner, published(house), translator(house.workspace.company.language))


def night_line(asked: Asked) -> str:
    company = asked.house.workspace.company
    on = max((snapshot.business_on for snapshot in asked.pinned.values()), default=None)
    said = asked._("Night {on}; times in {zone}; names, numbers and addresses are masked.").format(
        on=on, zone=company.zone
    )
    return f"{said}\n\n> {company.composed}" if company.composed else said


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A markdown table; nothing of no rows."""
    if not rows:
        return ""
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )
