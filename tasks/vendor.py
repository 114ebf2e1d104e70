"""What vendors' exports say beyond rows of people, inside the consolidate stage: merged and deleted ids, events, refusals.

What belongs here: which source gives which Select. What does not: the Selects (`vesper/consolidate/{vendor,event,unsubscribe}.py`), and what is made of
them (identity, consent, core__event).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.take_in import TakenIn
from vesper.consolidate import campaign, event, unsubscribe, vendor


@dataclass(frozen=True)
class VendorIds:
    """Ids of vendors' systems, bound for the night.

    Attributes:
        same: (old_id, kept_id) of ids that are one person.
        survivor: (old_id, kept_id), one row for each merged id.
        excluded: (source, record_key, rule) of contact rows that a vendor deleted; None where no source tells of deletions.
    """

    same: sa.Table
    survivor: sa.Table
    excluded: sa.Table | None


def vendor_ids(bench: Bench, taken: Iterable[TakenIn]) -> VendorIds:
    """Read merges and deletions of all sources. Comes before cleaning, which leaves deleted rows out."""
    sources = list(taken)
    told = [select for one in sources for select in vendor.same_people(one.raw, one.source)]
    same = bench.materialize(vendor.same_person(told), "vendor_same")
    survivor = bench.materialize(vendor.survivors(same), "vendor_survivor")
    return VendorIds(same, survivor, _excluded(bench, sources))


def _excluded(bench: Bench, sources: list[TakenIn]) -> sa.Table | None:
    told = [vendor.deleted_ids(one.raw, one.source) for one in feeding(sources, "contact_delete")]
    if not told:
        return None
    deleted = bench.materialize(sa.union(*told), "vendor_deleted")
    rows = [
        vendor.deleted_rows(one.raw, one.source, deleted)
        for one in feeding(sources, "contact")
        if "crm_id" in one.raw.c
    ]
    return bench.materialize(sa.union_all(*rows), "vendor_excluded") if rows else None


def feeding(sources: Iterable[TakenIn], feed: str) -> list[TakenIn]:
    """The sources of one feed."""
    return [one for one in sources if one.source.feeds == feed]


def events(bench: Bench, taken: Iterable[TakenIn], ids: VendorIds) -> list[sa.Select[Any]]:
    """Every Select that core__event is made of: sources of events, unsubscribes that say when, rows of contacts that are events."""
    sources, zone = list(taken), bench.night.zone
    found = [event.of_source(one.raw, one.source, zone, ids.survivor) for one in feeding(sources, "event")]
    found += [
        event.of_unsubscribes(one.raw, one.source, zone, ids.survivor)
        for one in feeding(sources, "unsubscribe")
        if one.source.event_kind and "at" in one.raw.c
    ]
    contacts = [one for one in feeding(sources, "contact") if one.source.event_kind and "registered_at" in one.raw.c]
    return found + [campaign.events_of_contacts(one.raw, one.source, zone) for one in contacts]


def refusals(bench: Bench, taken: Iterable[TakenIn], ids: VendorIds) -> list[sa.Select[Any]]:
    """Every Select of refusals, beside what contact rows state of consent (`consent.stated`). Comes after source records are filled."""
    sources, zone = list(taken), bench.night.zone
    happened = feeding(sources, "event")
    found = [select for one in feeding(sources, "contact") for select in unsubscribe.refused(one.raw, one.source)]
    for one in feeding(sources, "membership"):
        found += unsubscribe.left_lists(one.raw, one.source, ids.survivor)
    for one in happened:
        found += unsubscribe.by_events(one.raw, one.source, zone, ids.survivor)
    for one in feeding(sources, "unsubscribe"):
        of_system = [
            (other.raw, other.source)
            for other in happened
            if "event_id" in other.raw.c and other.source.system_of_ids == one.source.system_of_ids
        ]
        found += unsubscribe.unsubscribed(one.raw, one.source, zone, ids.survivor, of_system)
    return found
