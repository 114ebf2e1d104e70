"""Who is held out: a share of all people by quarter (policy/holdout), and a share of one campaign's or journey's own (`holdout`).

What belongs here: whether a contact is held out, in SQL. What does not: that it is refused and stays on record (`vesper/send.py`), what marketing
brings by that (`vesper/marts/holdout_lift.py`).

Only marketing is withheld: what somebody asked for, and what they must be told, goes to everybody. Named test contacts get everything.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.experiment.assign import bucket_of, is_in_share
from vesper.model.holdout import HoldoutPolicy, holdout_policy
from vesper.model.outreach import Outreach
from vesper.night import Night
from vesper.rollout import is_named

HOLDOUT = "holdout"
"""The refusal of who is held out; its detail names the holdout: POLICY with its period, or the campaign."""
HELD_OUT = "held_out"
POLICY = "policy"
MARKETING = "marketing"


def period(policy: HoldoutPolicy, day: dt.date) -> str:
    """The stretch of time in which the same people are held out: 2026-Q4, 2026, or always."""
    if policy.rotates == "never":
        return "always"
    return f"{day.year}" if policy.rotates == "year" else f"{day.year}-Q{(day.month + 2) // 3}"


def begins_on(policy: HoldoutPolicy, day: dt.date) -> dt.date:
    """The first day of that stretch; the first of all days where it never ends."""
    if policy.rotates == "never":
        return dt.date.min
    return dt.date(day.year, 1 if policy.rotates == "year" else (day.month - 1) // 3 * 3 + 1, 1)


def detail_of_policy(policy: HoldoutPolicy, day: dt.date) -> str:
    """How a refusal names the global holdout of a day."""
    return f"{POLICY} {period(policy, day)}"


def held_out(
    outreach: Outreach, purpose: str, night: Night, contact_id: sa.ColumnElement[str]
) -> list[tuple[sa.ColumnElement[bool], str]]:
    """SQL: each holdout that binds a sending, whether it holds a contact, and how the refusal names it; none of what is no marketing."""
    if purpose != MARKETING:
        return []
    policy, found = holdout_policy(night.definitions), []
    if policy.share:
        key = f"{HOLDOUT}|{POLICY}|{period(policy, night.business_on)}"
        held = is_in_share(policy.share, bucket_of(key, policy.salt, contact_id))
        found.append((held, detail_of_policy(policy, night.business_on)))
    if outreach.holdout:
        held = is_in_share(outreach.holdout, bucket_of(f"{HOLDOUT}|campaign", outreach.id, contact_id))
        found.append((held, outreach.id))
    return found


def held_columns(
    outreach: Outreach, purpose: str, night: Night, contact_id: sa.ColumnElement[str]
) -> list[sa.ColumnElement[Any]]:
    """SQL: for a plan, `held_out`, the name of the holdout that holds a contact, NULL for none; no column where none binds."""
    found = held_out(outreach, purpose, night, contact_id)
    if not found:
        return []
    named = (is_named(outreach, contact_id), sa.null())
    return [sa.cast(sa.case(named, *found, else_=sa.null()), sa.String).label(HELD_OUT)]
