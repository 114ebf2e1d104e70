"""Decisions of the measure stage that several figures share: who belongs to a market, what complete means, whom to ask.

What belongs here: what more than one mart or the report needs. What does not: any one figure (its file stands in `vesper/marts/`).
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.held import is_held
from vesper.membership import ContactRow
from vesper.model.market import Market
from vesper.night import Night
from vesper.privacy import masked_name
from vesper.shared import Shared
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONSENT, CONTACT
from vesper.tables.declare import empty, previous
from vesper.tables.order import ORDER_DAY

CHANNELS = ("email", "sms", "store", "none")
VISIT_DAYS = 90
COMPANY_FIELD = "company."

MarketRows = Callable[[Market, Night], "sa.Select[Any] | sa.CompoundSelect[Any]"]


def each_market(night: Night, declared: sa.Table, rows: MarketRows) -> sa.Select[Any]:
    """A table's rows of all markets in force. A market whose members are unknown tonight keeps the figures it had (R106)."""
    markets = night.definitions.of(Market).values()
    if not markets:
        return empty(declared)
    selects = [
        _kept(market, declared, night) if is_held(market.members, night) else rows(market, night) for market in markets
    ]
    return sa.select(sa.union_all(*[sa.select(select.subquery()) for select in selects]).subquery("markets"))


def _kept(market: Market, declared: sa.Table, night: Night) -> sa.Select[Any]:
    """The newest published rows of a market, under tonight's date."""
    before = previous(declared)
    mine = sa.and_(before.c.market_id == market.id, before.c.business_on < on(night.business_on))
    newest = sa.select(sa.func.max(before.c.business_on)).where(mine).scalar_subquery()
    others = [column for column in before.c if column.name != "business_on"]
    return sa.select(on(night.business_on).label("business_on"), *others).where(mine, before.c.business_on == newest)


def member_contacts(market: Market, night: Night) -> sa.Select[Any]:
    """The contacts of a market, with all fields of the golden contact, and those of its company that the market requires (`company.industry`)."""
    row = ContactRow(night)
    belongs = row.holds(market.members)
    joined = row.source()
    of_company = [field for field in fields_of(market) if field.startswith(COMPANY_FIELD)]
    extra = [COMPANY.c[field.removeprefix(COMPANY_FIELD)].label(field) for field in of_company]
    if extra:
        joined = joined.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id, isouter=True)
    return sa.select(*CONTACT.c, *extra).select_from(joined).where(belongs)


def profiles(market: Market, night: Night) -> sa.Select[Any]:
    """What the market counts: profile_id and the required fields, one row per contact, or per company of its contacts.

    A company has a field when one of its contacts in the market has it: a sales team reaches a company through whoever is known (R117). Contacts
    of no company belong to no company market.
    """
    member = member_contacts(market, night).subquery("member")
    fields = fields_of(market)
    if market.counts == "contacts":
        return sa.select(member.c.contact_id.label("profile_id"), *[member.c[field].label(field) for field in fields])
    together = [sa.func.max(member.c[field]).label(field) for field in fields]
    return (
        sa.select(member.c.company_id.label("profile_id"), *together)
        .where(member.c.company_id.is_not(None))
        .group_by(member.c.company_id)
    )


def counted(market: Market, night: Night) -> sa.Select[Any]:
    """The profiles of a market by what is known of them: true or false for each required field, and `profile_count` with just these fields."""
    fields = fields_of(market)
    if night.shared is not None and is_plain(market):
        every = _every_profile(night, night.shared)
        known = [every.c[f"has_{field}"].label(field) for field in fields]
        return sa.select(*known, every.c.profile_count).where(every.c[f"in_{market.id}"])
    profile = profiles(market, night).subquery("profile")
    known = [is_known(profile.c[field]).label(field) for field in fields]
    rows = sa.select(*known).subquery("known")
    return sa.select(*rows.c, sa.func.count().label("profile_count")).group_by(*rows.c)


def count_of(profile: sa.FromClause, *tests: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """SQL: how many `counted` profiles pass all tests."""
    number = sa.func.sum(profile.c.profile_count)
    return sa.cast(sa.func.coalesce(number.filter(*tests) if tests else number, 0), sa.Integer)


def is_plain(market: Market) -> bool:
    """Whether a market's profiles are contacts, each with fields of its own row alone."""
    return market.counts == "contacts" and all(field in CONTACT.c for field in fields_of(market))


def _every_profile(night: Night, shared: Shared) -> sa.FromClause:
    """All contacts by the plain markets that they belong to and by what is known of them: one look at each contact for all markets."""
    name = "market_profiles"
    if name in shared.kept:
        return shared.kept[name][0]
    markets = [
        one for one in night.definitions.of(Market).values() if is_plain(one) and not is_held(one.members, night)
    ]
    row = ContactRow(night)
    belongs = [row.holds(market.members).label(f"in_{market.id}") for market in markets]
    fields = sorted({field for market in markets for field in fields_of(market)})
    known = [is_known(CONTACT.c[field]).label(f"has_{field}") for field in fields]
    rows = sa.select(*belongs, *known).select_from(row.source()).subquery("contact_profile")
    return shared.keep(name, sa.select(*rows.c, sa.func.count().label("profile_count")).group_by(*rows.c))


def fields_of(market: Market) -> list[str]:
    """The required fields, each once."""
    return list(dict.fromkeys(market.required_fields))


def is_known(field: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """SQL: whether a field of a contact is known."""
    return field.is_not(None)


def is_complete(market: Market, profile: sa.FromClause) -> sa.ColumnElement[bool]:
    """SQL: whether `counted` profiles have every field that the market requires (R20)."""
    return sa.and_(*[profile.c[field] for field in fields_of(market)])


def needed_count(market: Market) -> int:
    """Complete contacts with which the market enters its band; exact, because the band is written as a decimal."""
    return math.ceil(_share(market.band.low) * market.size.value)


def target_count(market: Market) -> int:
    """Complete profiles with which the market reaches its target."""
    return math.ceil(_share(market.target.ratio) * market.size.value)


def floor_count(ratio: float, size: int) -> int:
    """The largest number of people that is not above a share of a size."""
    return math.floor(_share(ratio) * size)


def _share(ratio: float) -> Decimal:
    return Decimal(str(ratio))


def people_to_ask(market: Market, night: Night) -> sa.Select[Any]:
    """The cheapest set of people with which a market enters its band: as many as are needed, those missing the fewest fields first.

    Where companies are counted, one contact of each incomplete company is asked for what the company lacks.

    Columns: contact_id, name (masked), missing (field names joined by commas), missing_count, channel (best way to ask: one of CHANNELS),
    place (1..n, the order to ask in). Empty for a market in its band; shorter than needed when too few people are known at all.
    """
    ranked = _ranked(market, night).cte(f"to_ask_{market.id}")
    complete = sa.select(sa.func.count()).where(ranked.c.missing_count == 0).scalar_subquery()
    chosen = sa.and_(ranked.c.missing_count > 0, ranked.c.place <= sa.literal(needed_count(market)) - complete)
    return sa.select(*ranked.c).where(chosen).order_by(ranked.c.place)


def fields_to_ask(market: Market, night: Night) -> sa.Select[Any]:
    """`people_to_ask` by what is missing: missing, missing_count, people_count; the cheapest question first."""
    asked = people_to_ask(market, night).subquery("asked")
    count = sa.func.count()
    return (
        sa.select(asked.c.missing, asked.c.missing_count, count.label("people_count"))
        .group_by(asked.c.missing, asked.c.missing_count)
        .order_by(asked.c.missing_count, count.desc(), asked.c.missing)
    )


def _ranked(market: Market, night: Night) -> sa.Select[Any]:
    """Members with what they lack, in the order to ask: fewest fields, then the nearest channel, then the id, so that the order is total."""
    asked = _one_for_each(market, night).subquery("asked")
    profile = profiles(market, night).subquery("profile")
    fields = fields_of(market)
    lacks = [sa.case((is_known(profile.c[field]), 0), else_=1) for field in fields]
    missing_count = sum(lacks[1:], start=lacks[0])
    names = [sa.case((is_known(profile.c[field]), sa.null()), else_=field) for field in fields]
    place = sa.func.row_number().over(
        partition_by=missing_count > 0, order_by=[missing_count, asked.c.nearest, asked.c.contact_id]
    )
    return sa.select(
        asked.c.contact_id,
        masked_name(asked.c.name).label("name"),
        sa.func.concat_ws(",", *names, type_=sa.String).label("missing"),
        missing_count.label("missing_count"),
        asked.c.channel,
        place.label("place"),
    ).join_from(asked, profile, profile.c.profile_id == asked.c.profile_id)


def _one_for_each(market: Market, night: Night) -> sa.Select[Any]:
    """Whom to ask for each profile: the contact itself, or of a company the one with the nearest channel. profile_id, contact_id, name, channel, nearest."""
    member = member_contacts(market, night).subquery("member")
    channel = _channel(member, night)
    nearest = sa.case({name: number for number, name in enumerate(CHANNELS)}, value=channel)
    id = member.c.contact_id if market.counts == "contacts" else member.c.company_id
    columns = [
        id.label("profile_id"),
        member.c.contact_id,
        member.c.name,
        channel.label("channel"),
        nearest.label("nearest"),
    ]
    if market.counts == "contacts":
        return sa.select(*columns)
    nth = sa.func.row_number().over(partition_by=id, order_by=[nearest, member.c.contact_id]).label("nth")
    each = sa.select(*columns, nth).where(id.is_not(None)).subquery("each_one")
    return sa.select(*[each.c[name] for name in ("profile_id", "contact_id", "name", "channel", "nearest")]).where(
        each.c.nth == 1
    )


def _channel(contact: sa.FromClause, night: Night) -> sa.ColumnElement[str]:
    """The best way to ask: a channel with an address and a consent, else the next visit of a recent buyer, else none that we know."""
    visits = sa.exists().where(
        ORDER_DAY.c.contact_id == contact.c.contact_id,
        ORDER_DAY.c.ordered_on.between(on(night.days_ago(VISIT_DAYS)), on(night.business_on)),
    )
    return sa.case(
        (sa.and_(is_known(contact.c.email), _agreed(contact, "email")), "email"),
        (sa.and_(is_known(contact.c.phone), _agreed(contact, "sms")), "sms"),
        (visits, "store"),
        else_="none",
    )


def _agreed(contact: sa.FromClause, channel: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        CONSENT.c.contact_id == contact.c.contact_id,
        CONSENT.c.channel == channel,
        CONSENT.c.purpose == "marketing",
        CONSENT.c.is_granted,
    )
