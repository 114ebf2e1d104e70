"""Examples of definitions as tests: the facts of one invented contact become rows, and the night's own Selects are asked.

What belongs here: from `given` to rows, from rows to an answer. What does not: which files there are (`test_examples.py`).
"""

import datetime as dt
from pathlib import Path
from typing import Any

from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from vesper.conditions.people import people
from vesper.load import parse
from vesper.marts.activity import ACTIVITY
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.definition import Definition
from vesper.model.example import Given
from vesper.model.lifecycle import Lifecycle
from vesper.model.scoring import ScoringRule
from vesper.night import Night

WHO = "c0000000000000001"
HAVING_EXAMPLES = ("scoring", "segments", "lifecycle", "markets")


def definitions_with_examples(*folders: Path) -> list[Path]:
    """The definition files of these folders that may carry examples."""
    return sorted(file for folder in folders for kind in HAVING_EXAMPLES for file in (folder / kind).glob("*.yml"))


def definition_of(file: Path) -> Definition:
    """The definition that a file holds."""
    return parse(file.parent.name, file.stem, file.read_text(encoding="utf-8"))


def put_given(tables: Tables, given: Given, tonight: Night) -> None:
    """Everything known of the contact, as the tables of a night."""
    orders = tuple(Order(WHO, ago(order.on.days), (order.amount,), (order.category,)) for order in given.orders)
    events = tuple(Event(WHO, event.kind, ago(event.on.days)) for event in given.events)
    tables.put_facts(
        Facts({WHO: {str(field): value for field, value in given.attributes.items()}}, orders, events), tonight
    )
    if given.rfm:
        ranks = {f"{axis}_rank": value for axis, value in given.rfm.model_dump().items()}
        tables.put(ACTIVITY, [{"contact_id": WHO, "order_count": 1, **ranks}])
    at = dt.datetime.combine(TONIGHT, dt.time(1))
    tables.put(SCORE, [{"contact_id": WHO, "score": given.score}] if given.score is not None else [])
    tables.put(LIFECYCLE, [{"contact_id": WHO, "stage": given.stage, "entered_at": at}] if given.stage else [])
    tables.put(
        SEGMENT_MEMBER,
        [{"segment_id": segment, "contact_id": WHO, "entered_on": TONIGHT} for segment in given.segments],
    )


def answer(tables: Tables, definition: Any, given: Given) -> Any:
    """Points, membership or stage: what the definition says of the contact."""
    tonight = night()
    put_given(tables, given, tonight)

    def matches(condition: Any) -> bool:
        return any(row["contact_id"] == WHO for row in tables.rows(people(condition, tonight)))

    if isinstance(definition, ScoringRule):
        return sum(points for condition, points in definition.cases if matches(condition))
    if isinstance(definition, Lifecycle):
        return next(stage.id for stage in definition.stages or () if matches(stage.when))
    return matches(definition.members)


def expected(example: Any) -> Any:
    """What an example says must come of it."""
    return next(getattr(example, name) for name in ("points", "member", "stage") if hasattr(example, name))
