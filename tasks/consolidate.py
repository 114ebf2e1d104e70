"""The consolidate stage: every source taken in, quarantined rows set aside, people resolved, core tables filled."""

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data_quality.conservation import consolidated_contacts, consolidated_orders
from tasks.bench import Bench, Mode
from tasks.fold import fold
from tasks.marts import fill_marts
from tasks.people import resolve_people
from tasks.sales import write_sales
from tasks.stage import open_stage
from tasks.stale_score import warn_of_missing_scores
from tasks.take_in import TakenIn, take_in, translator_of
from tasks.vendor import VendorIds
from tasks.vendor import events as vendor_events
from vesper import consolidated_figures as figures
from vesper.consolidate import campaign, contact, identity, incident, order
from vesper.consolidate.calendar import calendar
from vesper.consolidate.latest import products
from vesper.model.source import Source
from vesper.stage_report import StageReport
from vesper.tables.campaign import CAMPAIGN, CAMPAIGN_MEMBER, EVENT
from vesper.tables.contact import CONTACT, SOURCE_RECORD
from vesper.tables.declare import empty
from vesper.tables.ledger_copy import LEDGER_INCIDENT
from vesper.tables.order import ORDER_DAY, ORDER_LINE, PRODUCT
from vesper.tables.quality import CALENDAR, COVERAGE, QUARANTINE
from warehouse.ledger.incident import messages_as_arrow
from warehouse.ledger.receipts import record_receipts
from warehouse.part import days_of


def consolidate(
    root: Path, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> StageReport:
    """Consolidate one night. Raises StageFailed with one sentence; nothing is published then."""
    with open_stage(root, "consolidate", business_on, may_send, mode, threads) as bench:
        fill(bench)
        warn_of_missing_scores(bench)
    return bench.report


def fill(bench: Bench) -> None:
    """Everything between the opening of the stage and its gate."""
    fold(bench)
    sources = bench.night.definitions.of(Source)
    taken = {id: take_in(bench, source) for id, source in sources.items()}
    _keep_what_came(bench, list(taken.values()))
    _write_products(bench, taken)
    ids = resolve_people(bench, taken)
    _write_orders(bench, taken)
    _write_events(bench, taken, ids)
    write_sales(bench, taken.values(), ids)
    _write_campaigns(bench, taken)
    _balance_people(bench)
    fill_marts(bench)
    _say_what_came(bench, taken)


def feeding(taken: dict[str, TakenIn], feed: str) -> list[TakenIn]:
    """The sources of one feed, in the order of their ids."""
    return [one for one in taken.values() if one.source.feeds == feed]


def _keep_what_came(bench: Bench, taken: list[TakenIn]) -> None:
    """Quarantined rows, coverage, and the receipts that will be recorded when the stage publishes."""
    broken = [one.quarantine for one in taken if one.quarantine is not None]
    bench.keep_night(QUARANTINE, sa.union_all(*broken) if broken else empty(QUARANTINE))
    rows = [
        {
            "source": one.source.id,
            "business_on": bench.business_on,
            "expected_through_on": one.reach.expected_through_on,
            "covered_through_on": one.reach.covered_through_on,
            "missing_days": len(one.reach.missing),
            "is_held": one.reach.is_held,
        }
        for one in taken
    ]
    bench.fill(COVERAGE, sa.select(bench.bind_rows("coverage_tonight", COVERAGE, rows)))
    receipts = [receipt for one in taken for receipt in one.receipts]
    bench.alongside.append(lambda connection: record_receipts(connection, receipts))
    bench.report.facts["files"] = len(receipts)


def _write_products(bench: Bench, taken: dict[str, TakenIn]) -> None:
    found = [products(one.raw) for one in feeding(taken, "product")]
    bench.fill(PRODUCT, sa.union_all(*found) if found else empty(PRODUCT))


def _write_orders(bench: Bench, taken: dict[str, TakenIn]) -> None:
    """Order lines and their roll-up, only for days that changed: new facts, a card with another contact, a product with another category."""
    changed: set[dt.date] = set()
    known: set[dt.date] = set()
    selects: list[Any] = []
    for one in feeding(taken, "order_line"):
        meaning = {row[0] for row in bench.rows(order.days_with_new_meaning(one.raw))} if _seen_before(bench) else set()
        changed |= one.changed_days | meaning
        known |= set(one.source.cadence.closed_on)
        selects.append(order.order_lines(one.raw))
    known = {day for day in known if day <= bench.business_on}
    lines = sa.union_all(*selects) if selects else empty(ORDER_LINE)
    bench.fill_days(ORDER_LINE, lines, changed, known)
    came = {one.source.id: bench.report.rows[one.raw.name] for one in feeding(taken, "order_line")}
    bench.balance(consolidated_orders(bench.report.rows[ORDER_LINE.name], came))
    bench.fill_days(ORDER_DAY, order.order_days(), changed, known)
    bench.fill(CALENDAR, calendar(bench.night))


def _seen_before(bench: Bench) -> bool:
    return bench.snapshot_before(ORDER_LINE.name) is not None


def _write_events(bench: Bench, taken: dict[str, TakenIn], ids: VendorIds) -> None:
    """Events of all sources; all parts, since a contact's id may have changed anywhere."""
    selects: list[Any] = vendor_events(bench, taken.values(), ids)
    bench.runner.bind_arrow(LEDGER_INCIDENT.name, messages_as_arrow(bench.house.engine, bench.business_on))
    every = (sa.union_all(*selects) if selects else empty(EVENT)).subquery("every_event")
    events = bench.materialize(incident.marked(every), "events_tonight")
    days = {row[0] for row in bench.rows(sa.select(events.c.on).distinct())}
    # An event that moved to another day must leave the old one, even when nothing else is left there.
    left = {day for part in bench.house.lake.parts(bench.snapshot_before(EVENT.name)) for day in days_of(part.key)}
    bench.fill_days(EVENT, sa.select(events), days | left)


def _write_campaigns(bench: Bench, taken: dict[str, TakenIn]) -> None:
    found = [campaign.campaigns(one.raw) for one in feeding(taken, "campaign")]
    bench.fill(CAMPAIGN, sa.union_all(*found) if found else empty(CAMPAIGN))
    members = [campaign.campaign_members(one.raw) for one in feeding(taken, "campaign_member")]
    bench.fill(CAMPAIGN_MEMBER, sa.union_all(*members) if members else empty(CAMPAIGN_MEMBER))


def _balance_people(bench: Bench) -> None:
    live = bench.report.rows[SOURCE_RECORD.name]
    golden = bench.report.rows[CONTACT.name]
    excluded = {row.rule: row.row_count for row in bench.rows(contact.excluded())}
    merged = int(bench.scalar(identity.merged_rows()))
    bench.balance(consolidated_contacts(live, golden=golden, merged=merged, excluded=excluded))
    bench.report.facts |= {"source_rows": live, "contacts": golden}


def _say_what_came(bench: Bench, taken: dict[str, TakenIn]) -> None:
    """The figures that the stage's page opens with: rows by source, routes, merges, what is out of date, what needs a look."""
    names = {f"consolidate {id}": id for id in taken}
    rows = [
        {"source": names[one.name], "received": one.total, **one.parts}
        for one in bench.report.balances
        if one.name in names
    ]
    bench.report.facts |= {
        "sources": rows,
        "new_contacts_by_route": bench.records(figures.inflow(bench.night)),
        "rows_by_link": bench.records(figures.members_by_rule()),
        "stale_records": bench.records(figures.stale_records()),
        "cleaning": bench.records(figures.cleaning(bench.night)),
    }
    waiting = int(bench.scalar(figures.to_review()))
    bench.report.facts["contacts_to_review"] = waiting
    if waiting:
        _ = translator_of(bench)
        said = _(
            "{count} contacts are unusually large or contradict themselves: `vesper review write FILE.xlsx` makes the sheet."
        )
        bench.report.facts["to_do"] = [said.format(count=waiting)]
