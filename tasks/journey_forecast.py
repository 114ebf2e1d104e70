"""What journeys would do in the days to come if nothing more happened: who would get what, and who would be refused (R61, R110, R119).

What belongs here: playing the days in a ledger in memory, and the figures in words. What does not: the turn itself (`journey.py`). Nothing is written,
planned or sent: the workspace's own ledger is only read.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tasks.explain_asked import page, table
from tasks.journey import COPIES, LakeDesk, play
from tasks.sql import Unanswered, open_to_read, published
from vesper.definition_set import DefinitionSet
from vesper.journey.turn import Turn
from vesper.language import Translate, translator
from vesper.load import definition_set, definition_texts
from vesper.marts import reads
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.journey import Journey
from vesper.night import Night
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.ledger.definitions import hash_of
from warehouse.ledger.schema import DEFINITION
from warehouse.ledger.scratch import scratch_of
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

DAYS = 7


@dataclass(frozen=True, order=True)
class Foreseen:
    """So many people who would come to a decision at a step on a day; `entered` is a decision, too, at no step."""

    on: dt.date
    journey_id: str
    step_id: str
    decision: str
    people: int
    journey: str = ""
    """What people call it."""


class DeskOfNight(LakeDesk):
    """Binds the published tables of one night, whatever day is played."""

    def __init__(self, house: House, runner: Runner, night: Night, facts_on: dt.date) -> None:
        super().__init__(house, runner, night)
        self.facts_on = facts_on

    def again(self, night: Night) -> None:
        """The next day: the ledger's copies are taken anew."""
        self.night = night
        for name, copy in COPIES.items():
            self.runner.bind_arrow(name, copy(self.house.engine))

    def _read(self, *selects: Any) -> None:
        for name in sorted(frozenset[str]().union(*[reads(select) for select in selects]) - self.runner.bound.keys()):
            self.runner.bind_snapshot(METADATA.tables[name], self.house.lake.as_of(name, self.facts_on))


def forecast(root: Path, days: int = DAYS, files: bool = False) -> str:
    """The forecast in markdown. Raises Unanswered while no night has run.

    Args:
        files: by the edited files instead of the definitions in force.
    """
    with open_to_read(root) as house:
        _ = translator(house.workspace.company.language)
        texts = definition_texts(house.workspace.root) if files else None
        return worded(foreseen(house, days, texts), days, _)


def foreseen(house: House, days: int = DAYS, texts: dict[str, str] | None = None) -> list[Foreseen]:
    """Decisions by day, journey and step, on the facts of the newest night and no others. `texts` are other definitions than those in force."""
    newest = published(house).get(SEGMENT_MEMBER.name)
    if newest is None:
        _ = translator(house.workspace.company.language)
        raise Unanswered(_("No whole night is published yet to hold a plan against; run `vesper run nightly` first."))
    known = house.definitions_at(None) if texts is None else definition_set(texts)
    if not known.of(Journey):
        return []
    language = house.workspace.company.language
    titles = {id: one.title(language) for id, one in known.of(Journey).items()}
    with scratch_of(house.engine) as scratch, Runner(house.lake) as runner:
        _keep_texts(scratch, texts or {})
        bind_key(runner, house.address_key)
        playing = replace(house, engine=scratch)
        played = _played(playing, runner, known, newest.business_on, days)
        return [replace(one, journey=titles.get(one.journey_id, "")) for one in played]


def worded(found: Iterable[Foreseen], days: int, _: Translate) -> str:
    """The forecast as a page."""
    said = _(
        "Played on the facts of the newest night, as if nothing more happened; nothing is written, planned or sent."
    )
    return page(title(days, _), said, as_table(found, _) or _("Nobody would get anything."))


def title(days: int, _: Translate) -> str:
    """What stands above a forecast."""
    return _("Journeys: the next {days} days").format(days=days)


def as_table(found: Iterable[Foreseen], _: Translate) -> str:
    """The forecast as a table in markdown; nothing of no rows."""
    rows = [
        [one.on, one.journey or one.journey_id, one.step_id or "-", _(one.decision.replace("_", " ")), one.people]
        for one in found
    ]
    return table(
        [_("day"), _("journey"), _("step"), _("decision"), _("people")], [[str(x) for x in row] for row in rows]
    )


def _played(house: House, runner: Runner, known: DefinitionSet, facts_on: dt.date, days: int) -> Iterable[Foreseen]:
    night = Night(facts_on, house.workspace, known)
    desk = DeskOfNight(house, runner, night, facts_on)
    for ahead in range(1, days + 1):
        night = Night(facts_on + dt.timedelta(days=ahead), house.workspace, known)
        desk.again(night)
        done = play(house, desk, Turn.of_night(night))
        for journey, count in sorted(done.entered.items()):
            yield Foreseen(night.business_on, journey, "", "entered", count)
        for journey, count in sorted(done.over_max_people.items()):
            yield Foreseen(night.business_on, journey, "", "over_max_people", count)
        for journey, steps in sorted(done.decisions.items()):
            for step, counts in steps.items():
                for decision, people in sorted(counts.items()):
                    yield Foreseen(night.business_on, journey, step, decision, people)


def _keep_texts(scratch: Any, texts: dict[str, str]) -> None:
    """Versions that somebody would enter are looked up by their hash."""
    wanted = {hash_of(text): (name, text) for name, text in texts.items() if name.startswith("journeys/")}
    with scratch.begin() as connection:
        there = set(connection.scalars(DEFINITION.select().with_only_columns(DEFINITION.c.hash)))
        for hash, (name, text) in wanted.items():
            if hash not in there:
                connection.execute(
                    DEFINITION.insert().values(hash=hash, kind="journeys", id=name.split("/")[1], text=text)
                )
