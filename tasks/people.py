"""People inside the consolidate stage: source rows cleaned, resolved to one contact each; the golden record; consent.

What belongs here: the order of the steps. What does not: any of them (`clean.py`, `identity.py`, `golden.py`, `vendor.py`).
"""

from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.clean import clean
from tasks.erased import screen
from tasks.golden import fill_golden_records
from tasks.identity import resolve
from tasks.steward import bind_rules
from tasks.take_in import TakenIn
from tasks.vendor import VendorIds, refusals, vendor_ids
from vesper.consolidate import consent
from vesper.model.consent import consent_policy
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.tables.contact import CONSENT, SOURCE_RECORD
from vesper.tables.declare import empty
from vesper.tables.ledger_copy import LEDGER_CONSENT
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import CONSENT as STATEMENTS

POLICY = "identity"


def resolve_people(bench: Bench, taken: dict[str, TakenIn]) -> VendorIds:
    """Fill source records, identity, companies, contacts, identifiers and consent; gives the ids that vendors merged or deleted."""
    ids = vendor_ids(bench, taken.values())
    bench.fill(SOURCE_RECORD, screen(bench, clean(bench, taken.values(), ids.excluded)))
    rules = bind_rules(bench)
    policy = bench.night.definitions.one(IdentityPolicy, POLICY)
    linkage = bench.night.definitions.one(Linkage, policy.linkage) if policy.linkage else None
    resolve(bench, policy, linkage, same=ids.same)
    fill_golden_records(bench, taken, rules)
    _consent(bench, taken, ids)
    return ids


def _consent(bench: Bench, taken: dict[str, TakenIn], ids: VendorIds) -> None:
    """Bind the ledger's statements of earlier nights, add what sources state now, fold both; new ones go to the ledger with the publish."""
    columns = [c.name for c in LEDGER_CONSENT.c]
    query = sa.select(*[STATEMENTS.c[name] for name in columns]).where(STATEMENTS.c.recorded_on < bench.business_on)
    with reading(bench.house.engine) as connection:
        rows = connection.execute(query.order_by(STATEMENTS.c.consent_id)).mappings().all()
    bench.bind_rows(LEDGER_CONSENT.name, LEDGER_CONSENT, [dict(row) for row in rows])
    people = [one for one in taken.values() if one.source.feeds == "contact"]
    doubly = consent_policy(bench.night.definitions).double_opt_in
    parts = [
        select
        for one in people
        for select in (
            *consent.stated(one.raw, one.source, one.source.id in doubly),
            *consent.further(one.raw, one.source),
        )
    ]
    parts += refusals(bench, taken.values(), ids)
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
