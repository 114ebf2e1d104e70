"""Examples of definitions as tests: the facts of one invented contact become rows, and the night's own Selects are asked.

What belongs here: from `given` to rows, from rows to an answer. What does not: which files there are (`test_examples.py`).
"""

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.conditions.sales_facts import Lead, Outcome, Sales, Statement, lead_rows, sales_tables
from tests.conditions.world import TONIGHT, Event, Facts, Order, Tables, ago, night
from vesper.clock import instant
from vesper.conditions.people import people
from vesper.load import parse
from vesper.marts.activity import ACTIVITY
from vesper.marts.lead import LEAD
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.score import SCORE
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.definition import Definition
from vesper.model.example import EventFact, Given, OrderFact
from vesper.model.lifecycle import Lifecycle
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Group
from vesper.model.tier import Tiering
from vesper.model.timing import Ago
from vesper.night import Night
from vesper.points import rule_rows
from vesper.tables.contact import CONTACT

WHO, COMPANY_ID = "c0000000000000001", "k0000000000000001"
HAVING_EXAMPLES = ("scoring", "tags", "tiers", "personas", "segments", "lifecycle", "markets")


def definitions_with_examples(*folders: Path) -> list[Path]:
    """The definition files of these folders that may carry examples. One that states none has them from its preset, which is tested itself."""
    found = [file for folder in folders for kind in HAVING_EXAMPLES for file in (folder / kind).glob("*.yml")]
    return sorted(file for file in found if "\nexamples:" in file.read_text(encoding="utf-8"))


def definition_of(file: Path) -> Definition:
    """The definition that a file holds."""
    return parse(file.parent.name, file.stem, file.read_text(encoding="utf-8"))


def put_given(tables: Tables, given: Given, tonight: Night) -> None:
    """Everything known of the contact, as the tables of a night."""
    orders = tuple(order_of(order, tonight.zone) for order in given.orders)
    events = tuple(event_of(event, tonight.zone) for event in given.events)
    tables.put_facts(
        Facts(
            {WHO: attributes_of(given)},
            orders,
            events,
            companies={COMPANY_ID: {str(name): value for name, value in (given.company or {}).items()}},
            tags={tag: frozenset({WHO}) for tag in given.tags},
            personas={persona: frozenset({WHO}) for persona in given.personas},
            tiers={tiering: {WHO: tier} for tiering, tier in given.tiers.items()},
        ),
        tonight,
    )
    if given.activity:
        tables.put(ACTIVITY, [{"contact_id": WHO, "order_count": 1, "activity_level": given.activity}])
    if given.rfm:
        ranks = {f"{axis}_rank": value for axis, value in given.rfm.model_dump().items()}
        tables.put(ACTIVITY, [{"contact_id": WHO, "order_count": 1, **ranks}])
    at = dt.datetime.combine(TONIGHT, dt.time(1))
    scored = {"contact_id": WHO, "score": given.score, "is_mql": given.is_mql}
    tables.put(SCORE, [scored] if given.score is not None or given.is_mql else [])
    put_sales(tables, given)
    tables.put(LIFECYCLE, [{"contact_id": WHO, "stage": given.stage, "entered_at": at}] if given.stage else [])
    tables.put(
        SEGMENT_MEMBER,
        [{"segment_id": segment, "contact_id": WHO, "entered_on": TONIGHT} for segment in given.segments],
    )


def put_sales(tables: Tables, given: Given) -> None:
    """What sales said of the contact, and its lead."""
    at = dt.datetime.combine(ago(1), dt.time(1))
    said = tuple(Statement(WHO, dimension, value, at) for dimension, value in given.bant.items())
    came = tuple(Outcome(WHO, one.outcome, ago(one.on.days), one.reason) for one in given.outcomes)
    for table, rows in sales_tables(Sales(said, came)).items():
        tables.put(table, rows)
    lead = given.lead
    tables.put(LEAD, lead_rows({WHO: Lead(lead.status, at, at, lead.recycled, lead.reason)} if lead else {}))


def order_of(given: OrderFact, zone: str) -> Order:
    """An order of one line."""
    on, products = ago(given.on.days), (given.product_code,) if given.product_code else ()
    at = instant(on, given.at.time, zone) if given.at else None
    return Order(WHO, on, (given.amount,), (given.category,), at, products)


def event_of(given: EventFact, zone: str) -> Event:
    """An event, with everything that is stated of it."""
    on = ago(given.on.days)
    return Event(
        WHO,
        given.kind,
        on,
        given.is_machine,
        instant(on, given.at.time, zone) if given.at else None,
        series_id=given.series,
        message_id=given.message,
        url=given.url,
        content_id=given.content_id,
        product_code=given.product_code,
        keyword=given.keyword,
        duration_seconds=given.duration.seconds if given.duration else None,
        amount=given.amount,
    )


def attributes_of(given: Given) -> dict[str, Any]:
    """The fields of the contact in the types of core__contact; a date may be written as so many days ago."""
    found: dict[str, Any] = {str(field): value for field, value in given.attributes.items()}
    for name, value in found.items():
        if isinstance(CONTACT.c[name].type, sa.Date):
            found[name] = ago(Ago.read(value).days) if value.endswith("ago") else dt.date.fromisoformat(value)
    return found if given.company is None else found | {"company_id": COMPANY_ID}


def answer(tables: Tables, definition: Any, given: Given, before: str | None = None) -> Any:
    """Points, membership, tier or stage: what the definition says of the contact. `before` is its stage of the night before."""
    tonight = night()
    put_given(tables, given, tonight)

    def matches(condition: Any) -> bool:
        return any(row["contact_id"] == WHO for row in tables.rows(people(condition, tonight)))

    if isinstance(definition, ScoringRule):
        return sum(row["points"] for rows in rule_rows(definition, tonight) for row in tables.rows(rows))
    if isinstance(definition, Tiering):
        return next(tier.id for tier in definition.tiers if matches(tier.when))
    if isinstance(definition, Lifecycle):
        return next((s.id for s in definition.stages or () if s.admits(before) and matches(s.when)), before)
    return matches(definition.condition if isinstance(definition, Group) else definition.members)


def expected(example: Any) -> Any:
    """What an example says must come of it."""
    return next(getattr(example, name) for name in ("points", "member", "tier", "stage") if hasattr(example, name))
