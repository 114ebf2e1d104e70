"""What `vesper explain` asks about identity: why source rows are one contact, what was kept apart, which ids it had, where its values come from.

What belongs here: the Selects, each for one section of the answer, and the tree of links that holds a contact together. What does not: the other
sections (`vesper/explain.py`), the ledger's part and the words (`tasks/explain_identity.py`). Rows are named by source and key; a value leaves these
Selects masked only (R122).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from vesper.identity.keys import record_id
from vesper.identity.membership import memberships
from vesper.privacy import masked_email, masked_phone
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT, CONTACT_MEMBER, CONTACT_PROVENANCE, SOURCE_RECORD
from vesper.tables.identity import (
    CONTACT_ALIAS,
    IDENTITY_LINK,
    IDENTITY_REVIEW,
    IDENTITY_VETO,
    MERGE_EVENT,
    SHARED_KEY,
)

Select = sa.Select[Any]


def records(contact_id: str) -> Select:
    """The contact's source rows by name, `source:key`."""
    return sa.select(record_id(CONTACT_MEMBER).label("record")).where(CONTACT_MEMBER.c.contact_id == contact_id)


def links_inside(contact_id: str) -> Select:
    """Every link between two rows of the contact, the strongest first."""
    a, b, link = records(contact_id).subquery("a"), records(contact_id).subquery("b"), IDENTITY_LINK
    joined = link.join(a, a.c.record == link.c.record_a).join(b, b.c.record == link.c.record_b)
    order = (link.c.weight.desc(), link.c.record_a, link.c.record_b, link.c.rule)
    return sa.select(link).select_from(joined).order_by(*order)


def strongest_tree(links: Iterable[Any]) -> list[Any]:
    """The links that hold a contact together, the weakest first: where the weakest falls, the contact parts.

    Of every ring of links the weakest is left out, so n rows are held by n - 1 links.

    Args:
        links: rows with record_a and record_b, the strongest first.
    """
    above: dict[str, str] = {}

    def top(record: str) -> str:
        while (parent := above.get(record, record)) != record:
            # Halving the way keeps a contact of thousands of rows quick.
            above[record] = above.get(parent, parent)
            record = above[record]
        return record

    tree = []
    for link in links:
        a, b = top(link.record_a), top(link.record_b)
        if a != b:
            above[a] = b
            tree.append(link)
    return sorted(tree, key=lambda link: int(link.weight))


def reviewed(contact_id: str) -> Select:
    """A row where a steward should look at the contact: it is unusually large, or its rows contradict each other."""
    return sa.select(IDENTITY_REVIEW.c.record_count).where(IDENTITY_REVIEW.c.contact_id == contact_id)


def links_apart(contact_id: str) -> Select:
    """The strongest link to each other contact: contact_id, mine, other, rule and weight, the strongest first."""
    found = _across(IDENTITY_LINK, contact_id, "weight").subquery("link_across")
    order = [found.c.weight.desc(), found.c.mine, found.c.other, found.c.rule]
    place = sa.func.row_number().over(partition_by=found.c.contact_id, order_by=order)
    ranked = sa.select(found, place.label("place")).subquery("ranked")
    columns = [ranked.c[name] for name in ("contact_id", "mine", "other", "rule", "weight")]
    return sa.select(*columns).where(ranked.c.place == 1).order_by(ranked.c.weight.desc(), ranked.c.contact_id)


def vetoes_apart(contact_id: str) -> Select:
    """What speaks against each other contact, with one pair of rows for each rule, the final ones first."""
    found = _across(IDENTITY_VETO, contact_id, "is_final").subquery("veto_across")
    order = [found.c.is_final.desc(), found.c.mine, found.c.other]
    place = sa.func.row_number().over(partition_by=[found.c.contact_id, found.c.rule], order_by=order)
    ranked = sa.select(found, place.label("place")).subquery("ranked")
    columns = [ranked.c[name] for name in ("contact_id", "mine", "other", "rule", "is_final")]
    by = (ranked.c.contact_id, ranked.c.is_final.desc(), ranked.c.rule)
    return sa.select(*columns).where(ranked.c.place == 1).order_by(*by)


def _across(pairs: sa.Table, contact_id: str, fact: str) -> sa.CompoundSelect[Any]:
    """(contact_id, mine, other, rule, fact) of pairs that have one row in the contact and one in another."""
    member = memberships(CONTACT_MEMBER)
    ways = []
    for near, far in (("record_a", "record_b"), ("record_b", "record_a")):
        mine, other = records(contact_id).subquery(f"mine_{near}"), member.subquery(f"other_{far}")
        joined = pairs.join(mine, mine.c.record == pairs.c[near]).join(other, other.c.record == pairs.c[far])
        columns = (mine.c.record.label("mine"), other.c.record.label("other"), pairs.c.rule, pairs.c[fact])
        way = sa.select(other.c.contact_id, *columns).select_from(joined)
        ways.append(way.where(other.c.contact_id != contact_id))
    return sa.union_all(*ways)


def shared_keys(contact_id: str, columns: Mapping[str, Sequence[str]]) -> Select:
    """(kind, value, record_count) of the contact's phones and addresses that too many names share, so that they link nobody; masked.

    Args:
        columns: kind of key -> the columns of a source row that hold it.
    """
    mine, row = records(contact_id).subquery("mine"), SOURCE_RECORD
    found = [
        sa.select(SHARED_KEY.c.kind, SHARED_KEY.c.value, mine.c.record).select_from(
            row.join(mine, mine.c.record == record_id(row)).join(
                SHARED_KEY, sa.and_(SHARED_KEY.c.kind == kind, SHARED_KEY.c.value == row.c[name])
            )
        )
        for kind, names in sorted(columns.items())
        for name in names
    ]
    held = sa.union_all(*found).subquery("held")
    masked = sa.case((held.c.kind == "email", masked_email(held.c.value)), else_=masked_phone(held.c.value))
    counted = sa.func.count(held.c.record.distinct()).label("record_count")
    found_keys = sa.select(held.c.kind, masked.label("value"), counted).group_by(held.c.kind, held.c.value)
    return found_keys.order_by(held.c.kind, held.c.value)


def retired(old_id: str) -> Select:
    """Where the person of a retired contact id is: contact_id, empty when all source rows are gone, and the night."""
    return sa.select(CONTACT_ALIAS.c.contact_id, CONTACT_ALIAS.c.on).where(CONTACT_ALIAS.c.old_id == old_id)


def older_ids(contact_id: str) -> Select:
    """The ids whose person the contact holds now, the latest first."""
    alias = CONTACT_ALIAS
    mine = sa.select(alias.c.old_id, alias.c.on).where(alias.c.contact_id == contact_id)
    return mine.order_by(alias.c.on.desc(), alias.c.old_id)


def events(contact_id: str) -> Select:
    """Merges and splits of the contact and of the ids that it took over, the latest first."""
    event, alias = MERGE_EVENT, CONTACT_ALIAS
    older = sa.select(alias.c.old_id).where(alias.c.contact_id == contact_id)
    ends = [event.c[end] for end in ("contact_id", "other_id")]
    named = sa.or_(*[sa.or_(end == contact_id, end.in_(older)) for end in ends])
    order = (event.c.business_on.desc(), event.c.kind, event.c.contact_id, event.c.other_id)
    return sa.select(event).where(named).order_by(*order)


def provenance(contact_id: str) -> Select:
    """Where each value of the contact comes from, and why it survived; fields in the order of core__contact."""
    origin = CONTACT_PROVENANCE
    place = sa.case(*[(origin.c.field == name, place) for place, name in enumerate(CONTACT.c.keys())])
    return sa.select(origin).where(origin.c.contact_id == contact_id).order_by(place, origin.c.field)


def company(contact_id: str) -> Select:
    """The company that the contact works for, with its parent's name."""
    parent = COMPANY.alias("parent")
    joined = CONTACT.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id).join(
        parent, parent.c.company_id == COMPANY.c.parent_id, isouter=True
    )
    columns = [COMPANY.c[name] for name in ("company_id", "name", "industry", "province", "city", "employee_count")]
    found = sa.select(*columns, COMPANY.c.role, parent.c.name.label("parent"), CONTACT.c.job_title)
    return found.select_from(joined).where(CONTACT.c.contact_id == contact_id)
