"""Who is newly ready for sales and why, and what became of leads, as Selects for the report page and the stages' pages (R43..R48, R53).

What belongs here: choosing and ordering rows of the marts. What does not: who is an MQL (`vesper/mql.py`), what a lead or a leak is
(`vesper/lead.py`, `vesper/leakage.py`), what is told to sales themselves (`vesper/handover_profile.py`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.key_figures import is_new_mql
from vesper.marts.buried_lead import BURIED_LEAD
from vesper.marts.handover import HANDOVER
from vesper.marts.lost_reason import EVERYBODY, LOST_REASON
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.night import Night
from vesper.privacy import masked_name
from vesper.tables.contact import CONTACT

MOST_PEOPLE = 20
"""People that a page lists: enough to judge the rules by, too few to work through."""


def new_mqls(night: Night) -> sa.Select[Any]:
    """Who is an MQL tonight and was none the night before: contact_id, score, previous_score; the highest scores first (R53)."""
    score = SCORE.c
    return (
        sa.select(score.contact_id, score.score, score.previous_score)
        .where(is_new_mql())
        .order_by(score.score.desc(), score.contact_id)
        .limit(MOST_PEOPLE)
    )


def reasons_of(contact_ids: Sequence[str], night: Night) -> sa.Select[Any]:
    """contact_id, rule_id, points of everything that makes the scores of a few contacts; the points of a contact sum to its score (R58)."""
    reason = SCORE_REASON.c
    return (
        sa.select(reason.contact_id, reason.rule_id, reason.points)
        .where(reason.contact_id.in_(contact_ids), reason.points != 0, reason.business_on == on(night.business_on))
        .order_by(reason.contact_id, reason.kind != "base", reason.points.desc(), reason.rule_id)
    )


def names_of(contact_ids: Sequence[str]) -> sa.Select[Any]:
    """contact_id, name of a few contacts, masked."""
    name = masked_name(CONTACT.c.name).label("name")
    return sa.select(CONTACT.c.contact_id, name).where(CONTACT.c.contact_id.in_(contact_ids))


def buried(night: Night) -> sa.Select[Any]:
    """The buried leads that have waited longest: contact_id, status, idle_days (R47)."""
    lead = BURIED_LEAD.c
    return (
        sa.select(lead.contact_id, lead.status, lead.idle_days)
        .order_by(lead.idle_days.desc(), lead.contact_id)
        .limit(MOST_PEOPLE)
    )


def names_of_buried(night: Night) -> sa.Select[Any]:
    """contact_id, name of those leads, masked."""
    return masked_names(buried(night).subquery("chosen"))


def masked_names(chosen: sa.Subquery) -> sa.Select[Any]:
    """contact_id and masked name of the contacts of a Select."""
    joined = CONTACT.join(chosen, chosen.c.contact_id == CONTACT.c.contact_id)
    return sa.select(CONTACT.c.contact_id, masked_name(CONTACT.c.name).label("name")).select_from(joined)


def buried_count() -> sa.Select[Any]:
    """How many leads are buried: people."""
    return sa.select(sa.func.count().label("people")).select_from(BURIED_LEAD)


def lost_reasons(night: Night) -> sa.Select[Any]:
    """Why leads and deals were lost, over everybody: outcome, reason_code, outcome_count, reason_ratio (R48)."""
    row = LOST_REASON.c
    return (
        sa.select(row.outcome, row.reason_code, row.outcome_count, row.reason_ratio)
        .where(row.business_on == on(night.business_on), row.segment_id == EVERYBODY)
        .order_by(row.outcome, row.outcome_count.desc(), row.reason_code)
    )


def handover_states(night: Night) -> sa.Select[Any]:
    """Hand-overs so far by how far they came: state, handovers, tonight (those of this night) (R63)."""
    number = sa.func.count()
    tonight = number.filter(HANDOVER.c.business_on == on(night.business_on))
    return (
        sa.select(HANDOVER.c.state, number.label("handovers"), tonight.label("tonight"))
        .group_by(HANDOVER.c.state)
        .order_by(HANDOVER.c.state)
    )
