"""Golden records inside the consolidate stage: companies, then contacts with their identifiers and the provenance of their values.

What belongs here: the order in which they are filled. What does not: which value survives (`vesper/consolidate/`, `definitions/policy/survivorship.yml`).
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.clean import bind
from tasks.take_in import TakenIn
from vesper.cleaning.look_up import COMPANY as COMPANY_NAMES
from vesper.cleaning.look_up import REGION, LookUp
from vesper.consolidate import company, company_statement, contact, pin
from vesper.consolidate.provenance import provenance, rivals
from vesper.model.survivorship import SurvivorshipPolicy
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT, CONTACT_PROVENANCE, IDENTIFIER

POLICY = "survivorship"
FEEDS = ("company", "contact")
"""Feeds whose rows name companies."""
KEPT_MEANWHILE = ("account", "told", "company_statement", "golden_company", "golden", "rival")
"""What no later Select reads; of a million contacts it is half a gigabyte."""


def fill_golden_records(bench: Bench, taken: dict[str, TakenIn], steward: sa.Table) -> None:
    """Fill companies, identifiers, contacts and provenance from source records and their membership.

    Args:
        steward: the ledger's steward rules in force, bound for this night.
    """
    policy = bench.night.definitions.one(SurvivorshipPolicy, POLICY)
    pins = bench.materialize(pin.pins(steward), "pin")
    statement, keys = _fill_companies(bench, taken, pins, policy)
    bench.fill(IDENTIFIER, contact.identifiers())
    gold = bench.materialize(contact.golden(policy, statement), "golden")
    pinned = bench.materialize(pin.pinned(pins, keys), "pinned")
    survey = next(((id, one.raw) for id, one in taken.items() if one.source.feeds == "demographic"), None)
    bench.fill(CONTACT, contact.contacts(gold, pinned, survey[1] if survey else None, bench.night.zone))
    rival = bench.materialize(rivals(gold, policy, statement), "rival")
    bench.fill(CONTACT_PROVENANCE, provenance(gold, rival, pins, policy, statement, survey))
    for name in KEPT_MEANWHILE:
        bench.runner.forget(name)


def _fill_companies(
    bench: Bench, taken: dict[str, TakenIn], pins: sa.Table, policy: SurvivorshipPolicy
) -> tuple[sa.Table, sa.Table]:
    """Fill core__company; gives what was said of companies, and the keys of their names."""
    of_feed = {feed: [(one.raw, one.source) for one in taken.values() if one.source.feeds == feed] for feed in FEEDS}
    account = bench.materialize(company_statement.accounts(of_feed["company"], bench.night.zone), "account")
    told = bench.materialize(company_statement.told(of_feed["contact"]), "told")
    keys = _looked_up(bench, COMPANY_NAMES, company_statement.names_to_key(account, pins), "company_name")
    places = _looked_up(bench, REGION, company_statement.places_to_resolve(account), "company_place")
    said = company_statement.statements(account, told, pins, keys, places)
    statement = bench.materialize(said, "company_statement")
    bench.fill(COMPANY, company.companies(bench.materialize(company.golden(statement, keys, policy), "golden_company")))
    return statement, keys


def _looked_up(bench: Bench, look_up: LookUp, values: sa.Select[Any] | sa.CompoundSelect[Any], name: str) -> sa.Table:
    """Each distinct value read once in Python, bound under a name of its own."""
    named = replace(look_up, table=look_up.table.to_metadata(sa.MetaData(), name=name))
    written = sa.select(values.subquery("values"))
    bench.read(written)
    bind(bench.runner, named, written)
    return named.table
