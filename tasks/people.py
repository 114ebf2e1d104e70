"""People inside the consolidate stage: source rows cleaned, linked, given their contact; the golden record; consent."""

from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.take_in import TakenIn
from vesper.cleaning.region import spellings
from vesper.consolidate import consent, contact, identity, source_record
from vesper.reference import reference_rows
from vesper.tables.contact import CONSENT, CONTACT, CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD
from vesper.tables.declare import empty
from vesper.tables.ledger_copy import LEDGER_CONSENT
from vesper.tables.reference import SPELLING
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import CONSENT as STATEMENTS

MOST_ROUNDS = 100
CARD_FEEDS = ("order_line", "campaign_member", "event", "demographic")


def resolve_people(bench: Bench, taken: dict[str, TakenIn]) -> None:
    """Fill source records, membership, contacts, identifiers and consent."""
    bench.bind_rows(SPELLING.name, SPELLING, spellings(reference_rows("china_regions")))
    contact_sources = [one for one in taken.values() if one.source.feeds == "contact"]
    bench.fill(SOURCE_RECORD, _records(bench, taken))
    link = bench.materialize(identity.links(), "link")
    bench.fill(CONTACT_MEMBER, identity.members(_clusters(bench, link), link))
    bench.fill(IDENTIFIER, contact.identifiers())
    survey = next((one.raw for one in taken.values() if one.source.feeds == "demographic"), None)
    bench.fill(CONTACT, contact.contacts(survey, bench.night.zone))
    _consent(bench, contact_sources)


def _records(bench: Bench, taken: dict[str, TakenIn]) -> Any:
    parts = []
    for one in taken.values():
        if one.source.feeds == "contact":
            parts.append(source_record.of_contact_source(one.raw, one.source))
        elif one.source.feeds in CARD_FEEDS and "card" in one.raw.c:
            parts.append(source_record.of_cards(one.raw, one.source, bench.night.zone))
    return source_record.all_records(parts) if parts else empty(SOURCE_RECORD)


def _clusters(bench: Bench, link: sa.Table) -> sa.Table:
    """Rounds of label propagation until nothing moves. A round is one Select; the number of rounds is the longest chain of links."""
    labels = bench.materialize(identity.first_labels(), "label_0")
    for number in range(1, MOST_ROUNDS):
        after = bench.materialize(identity.next_labels(labels, link), f"label_{number}")
        if not bench.scalar(identity.moved(labels, after)):
            return after
        labels = after
    raise RuntimeError(
        f"links form a chain of more than {MOST_ROUNDS} rows; a shared phone or mail address is not guarded"
    )


def _consent(bench: Bench, contact_sources: list[TakenIn]) -> None:
    """Bind the ledger's statements of earlier nights, add what sources state now, fold both; new ones go to the ledger with the publish."""
    columns = [c.name for c in LEDGER_CONSENT.c]
    query = sa.select(*[STATEMENTS.c[name] for name in columns]).where(STATEMENTS.c.recorded_on < bench.business_on)
    with reading(bench.house.engine) as connection:
        rows = connection.execute(query.order_by(STATEMENTS.c.consent_id)).mappings().all()
    bench.bind_rows(LEDGER_CONSENT.name, LEDGER_CONSENT, [dict(row) for row in rows])
    parts = [select for one in contact_sources for select in consent.stated(one.raw, one.source)]
    if not parts:
        bench.fill(CONSENT, empty(CONSENT))
        return
    new = bench.materialize(consent.new_statements(parts), "new_statement")
    bench.fill(CONSENT, consent.consents(new))
    in_order = sa.select(new).order_by(*new.c)  # so that the ledger numbers them alike on every run
    stated = [row._asdict() | {"recorded_on": bench.business_on} for row in bench.rows(in_order)]
    bench.alongside.append(lambda connection: _record(connection, stated))


def _record(connection: sa.Connection, statements: list[dict[str, Any]]) -> None:
    insert_new(connection, STATEMENTS, statements)
