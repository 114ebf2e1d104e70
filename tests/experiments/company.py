"""A small company that experiments: its definitions, its lake with the tables that experiments read, nights that plan and are recorded."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.send import company
from vesper import send
from vesper.definition_set import DefinitionSet
from vesper.marts.experiment_arm import EXPERIMENT_ARM
from vesper.marts.message import MESSAGE
from vesper.marts.refusal import RAW_REFUSAL
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.experiment import Experiment
from vesper.model.holdout import HoldoutPolicy
from vesper.night import Night
from vesper.send import planned_at
from vesper.tables.experiment import RAW_ASSIGNMENT, RAW_DECISION
from vesper.tables.journey import RAW_COUPON
from vesper.tables.order import ORDER_DAY
from warehouse.ledger.experiment_copy import COPIES
from warehouse.ledger.outbox import messages_as_arrow, refusals_as_arrow
from warehouse.ledger.planned import record

NIGHT = company.NIGHT
DAY = dt.timedelta(days=1)


def experiment(id: str = "subject_question", **changes: Any) -> Experiment:
    fields: dict[str, Any] = {
        "id": id,
        "says": "标题",
        "owner": "marketing",
        "question": "Does a question in the subject bring more clicks?",
        "about": "winback",
        "arms": [
            {"id": "plain", "share": 0.5, "variant": "default"},
            {"id": "question", "share": 0.5, "variant": "asks"},
        ],
        "metric": {"kind": "click", "within": "3d"},
        "baseline": 0.2,
        "smallest_effect": 0.2,
        "starts_on": NIGHT,
        "ends_on": NIGHT + 14 * DAY,
    }
    return Experiment.model_validate(fields | changes)


def content(id: str = "coupon", **changes: Any) -> Content:
    """A content with a variant that only an experiment gives."""
    message = {"subject": "一月优惠", "text": company.TEXT}
    asks = {"id": "asks", "blocks": {"zh_CN": {"subject": "您多久没来了？"}}}
    fields = {"id": id, "says": "券", "owner": "marketing", "messages": {"zh_CN": message}, "variants": [asks]}
    return Content.model_validate(fields | changes)


def definitions(
    *experiments: Experiment, campaign: Campaign | None = None, contents: Iterable[Content] = (), held_out: float = 0.0
) -> DefinitionSet:
    own = campaign or company.campaign(max_people=100_000)
    base = company.definitions(own)
    items: dict[type, dict[str, Any]] = {kind: dict(found) for kind, found in base.items.items()}
    items[Content] = {one.id: one for one in (content(), *contents)}
    items[Experiment] = {one.id: one for one in experiments}
    if held_out:
        policy = {"id": "holdout", "says": "对照", "owner": "marketing", "share": held_out}
        items[HoldoutPolicy] = {"holdout": HoldoutPolicy.model_validate(policy)}
    hashes = dict(base.hashes) | {f"experiments/{one.id}": "0" * 64 for one in experiments}
    return DefinitionSet(items, hashes)


def lake(persons: Iterable[company.Person]) -> sa.Engine:
    engine = company.lake()
    for table in (RAW_ASSIGNMENT, RAW_DECISION, RAW_COUPON, RAW_REFUSAL, ORDER_DAY, MESSAGE, EXPERIMENT_ARM):
        table.create(engine)
    company.fill(engine, persons)
    return engine


def night(known: DefinitionSet, root: Path, on: dt.date = NIGHT) -> Night:
    return company.night(known, root, on)


def copy(lake_engine: sa.Engine, ledger: sa.Engine) -> None:
    """What a night does at its start and before its marts."""
    company.copy_ledger(lake_engine, ledger)
    copies = {RAW_REFUSAL.name: refusals_as_arrow, **COPIES}
    with lake_engine.begin() as connection:
        for name, copied in copies.items():
            table = sa.Table(
                name, sa.MetaData(), *[sa.Column(c.name, c.type) for c in RAW_REFUSAL.metadata.tables[name].c]
            )
            connection.execute(sa.delete(table))
            rows = copied(ledger).to_pylist()
            if rows:
                connection.execute(sa.insert(table), rows)


def plan(lake_engine: sa.Engine, tonight: Night, campaign_id: str = "winback") -> list[Any]:
    """The campaign's plan of a night."""
    campaign = tonight.definitions.one(Campaign, campaign_id)
    return company.rows_of(lake_engine, company.plan_of(campaign, tonight))


def run(lake_engine: sa.Engine, ledger: sa.Engine, tonight: Night, campaign_id: str = "winback") -> list[Any]:
    """Plan a night and record it; the rows of the plan."""
    copy(lake_engine, ledger)
    rows = plan(lake_engine, tonight, campaign_id)
    record(ledger, recordable(lake_engine, tonight, campaign_id))
    copy(lake_engine, ledger)
    return rows


def recordable(lake_engine: sa.Engine, tonight: Night, campaign_id: str = "winback") -> Any:
    """The plan of a night as it may be kept."""
    campaign = tonight.definitions.one(Campaign, campaign_id)
    with lake_engine.connect() as connection:
        made = connection.execute(send.without_address(company.plan_of(campaign, tonight)))
        names = list(made.keys())
        return as_arrow([dict(zip(names, row, strict=True)) for row in made])


def as_arrow(values: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    types = {"experiment_id": pa.string(), "arm_id": pa.string(), "zone": pa.string(), "variant": pa.string()}
    types |= {
        "stage_at_plan": pa.string(),
        "detail": pa.string(),
        "inbox_id": pa.int32(),
        "definition_hash": pa.string(),
    }
    table = pa.Table.from_pylist(values)
    for name, kind in types.items():
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return table


def messages(lake_engine: sa.Engine, ledger: sa.Engine, sent: bool = True) -> None:
    """out__message as the send stage would make it, everything sent at once."""
    rows = messages_as_arrow(ledger).to_pylist()
    with lake_engine.begin() as connection:
        connection.execute(sa.delete(MESSAGE))
        for row in rows:
            known = {c.name: row.get(c.name) for c in MESSAGE.c}
            known |= {"state": "accepted", "sent_at": row["not_before"] if sent else None, "series_id": "x"}
            connection.execute(sa.insert(MESSAGE), known)


__all__ = ["DAY", "NIGHT", "planned_at"]
