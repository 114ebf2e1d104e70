"""Hand-over decisions: who is handed to sales tonight, for whom a person takes over, and who of the team gets whom.

What belongs here: these Selects. What does not: the team's places (`handover_team.py`), the business calendar (`handover_clock.py`), the ledger
(`warehouse/ledger/handover.py`), sending notices (`tasks/handover_notices.py`).

An *episode* is a stretch of nights on which a contact is ready: an MQL, or scored at takeover_at or above. It is handed over once, whatever sales
make of it; when the contact has ceased to be ready for a night and is so again, or says in a chat that it wants to buy, the next one begins. What
decides is the state of the ledger and not the night before, so a night that did not run, or one that runs twice, changes nothing.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from vesper.clock import at, instant, on
from vesper.handover_history import handed, is_high, ready, tasked
from vesper.handover_team import cell
from vesper.marts.handover import RAW_HANDOVER
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.sales import SalesPolicy
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT
from vesper.tables.declare import INTEGER, TEXT, column, table

HANDED_AT = dt.time(21)
ID_LENGTH = 16

PLACE = table(
    "handover_place",
    column("cell", TEXT, "Contacts whom the same people may take", required=True),
    column("number", INTEGER, "Number of the place in its cell, from 1", required=True),
    column("owner", TEXT, "Representative", required=True),
    grain=("cell", "number"),
    owner="sales",
    says="Free places of the team tonight, as vesper.handover_team deals them out.",
    metadata=sa.MetaData(),
)


def policy_of(night: Night) -> SalesPolicy | None:
    """The company's policy/sales; None where it hands nobody over."""
    return night.definitions.of(SalesPolicy).get("sales")


def handed_at(night: Night) -> dt.datetime:
    """The instant of the hand-over (UTC) on a simulated clock: 21:00 of the business date in the company's zone."""
    return instant(night.business_on, HANDED_AT, night.zone)


def beginning(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """One row for each contact for whom a hand-over or a human task begins tonight, or who waits for a representative.

    contact_id, score, mql_preset, cause, cell; `is_new` with handover_id and episode for a new hand-over, else the id of the active one;
    `opens_task` with task_id, number, task_cause and event_id; `waits` when an open hand-over has nobody of the team.
    """
    asked = _asked(night, policy).cte("asked")
    opens = sa.or_(asked.c.is_intent, asked.c.is_high)
    begins = sa.or_(opens, sa.and_(asked.c.is_ready, sa.not_(asked.c.is_standing)))
    is_new = sa.and_(asked.c.active_id.is_(None), begins)
    cause = sa.case((asked.c.is_intent, "chat_intent"), (is_high(asked.c.score, policy), "high_score"), else_="mql")
    return (
        sa.select(
            *[asked.c[name] for name in ("contact_id", "score", "mql_preset", "episode", "number", "active_owner")],
            cell(policy).label("cell"),
            is_new.label("is_new"),
            asked.c.waits,
            cause.label("cause"),
            sa.case((is_new, _id(asked.c.contact_id, asked.c.episode)), else_=asked.c.active_id).label("handover_id"),
            opens.label("opens_task"),
            _id(asked.c.contact_id + sa.literal("|task"), asked.c.number).label("task_id"),
            sa.case((asked.c.is_intent, "chat_intent"), else_="high_score").label("task_cause"),
            sa.case((asked.c.is_intent, asked.c.event_id)).label("event_id"),
        )
        .join_from(asked, CONTACT, CONTACT.c.contact_id == asked.c.contact_id)
        .where(sa.or_(is_new, opens, asked.c.waits))
    )


def waiting(begun: sa.FromClause) -> sa.Select[Any]:
    """Contacts that need a representative, counted by cell. `begun` holds the rows of `beginning`."""
    return sa.select(begun.c.cell, sa.func.count().label("people")).where(_needs_owner(begun)).group_by(begun.c.cell)


def load(policy: SalesPolicy) -> sa.Select[Any]:
    """Hand-overs that each representative has open or accepted and not ended (R69)."""
    held = RAW_HANDOVER.c
    mine = sa.and_(held.state.in_(("open", "accepted")), held.owner.in_(list(policy.team)))
    return sa.select(held.owner, sa.func.count().label("people")).where(mine).group_by(held.owner)


def assigned(begun: sa.FromClause, place: sa.FromClause) -> sa.Select[Any]:
    """The rows of `begun` with `owner`: the best scores of each cell first, one to each place; NULL where no place is left."""
    turn = sa.func.row_number().over(
        partition_by=(begun.c.cell, _needs_owner(begun)), order_by=(begun.c.score.desc(), begun.c.contact_id)
    )
    queued = sa.select(begun, turn.label("turn")).subquery("queued")
    here = sa.and_(_needs_owner(queued), place.c.cell == queued.c.cell, place.c.number == queued.c.turn)
    owner = sa.case((_needs_owner(queued), place.c.owner), else_=queued.c.active_owner)
    columns = [queued.c[c.name] for c in begun.c]
    joined = queued.outerjoin(place, here)
    return sa.select(*columns, owner.label("owner")).select_from(joined).order_by(queued.c.contact_id)


def reasons(begun: sa.FromClause, night: Night) -> sa.Select[Any]:
    """Why: the reasons of tonight's score of each new hand-over (R66)."""
    told = SCORE_REASON.c
    return (
        sa.select(begun.c.handover_id, told.rule_id, told.points, told.evidence_count)
        .join_from(begun, SCORE_REASON, told.contact_id == begun.c.contact_id)
        .where(begun.c.is_new, told.business_on == on(night.business_on))
        .order_by(begun.c.handover_id, told.rule_id)
    )


def _asked(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """Everybody with a score, beside what the ledger knows of them: what stands, what is active, what was opened."""
    now, before = ready(night, policy).cte("now"), handed().cte("handed")
    task, intent = tasked().cte("tasked"), _intents(night, policy).cte("intent")
    is_free = sa.not_(sa.func.coalesce(task.c.has_open, sa.false()))
    is_news = sa.or_(task.c.known_at.is_(None), intent.c.at > task.c.known_at)
    was_high = sa.func.coalesce(task.c.is_standing, sa.false())
    has_nobody = sa.or_(before.c.active_owner.is_(None), before.c.active_owner.not_in(list(policy.team)))
    joined = now.outerjoin(before, before.c.contact_id == now.c.contact_id)
    joined = joined.outerjoin(task, task.c.contact_id == now.c.contact_id)
    joined = joined.outerjoin(intent, sa.and_(intent.c.contact_id == now.c.contact_id, intent.c.rank == 1))
    return sa.select(
        now,
        before.c.active_id,
        before.c.active_owner,
        sa.func.coalesce(sa.and_(before.c.active_state == "open", has_nobody), sa.false()).label("waits"),
        sa.func.coalesce(before.c.is_standing, sa.false()).label("is_standing"),
        sa.cast(sa.func.coalesce(before.c.episodes, 0) + 1, sa.Integer).label("episode"),
        sa.cast(sa.func.coalesce(task.c.tasks, 0) + 1, sa.Integer).label("number"),
        sa.and_(intent.c.at.is_not(None), is_free, is_news).label("is_intent"),
        sa.and_(is_high(now.c.score, policy), is_free, sa.not_(was_high)).label("is_high"),
        intent.c.event_id,
    ).select_from(joined)


def _intents(night: Night, policy: SalesPolicy) -> sa.Select[Any]:
    """Chat events that say so, the newest of each contact first; machine events never count."""
    newest = (EVENT.c.at.desc(), EVENT.c.event_id.desc())
    rank = sa.func.row_number().over(partition_by=EVENT.c.contact_id, order_by=newest)
    return sa.select(EVENT.c.contact_id, EVENT.c.event_id, EVENT.c.at, rank.label("rank")).where(
        EVENT.c.kind.in_(policy.chat_intents),
        EVENT.c.is_machine.is_(False),
        EVENT.c.excluded_by.is_(None),
        EVENT.c.on > on(night.days_ago(policy.intent_within.days)),
        EVENT.c.at <= at(night.cutoff_at),
    )


def _needs_owner(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.or_(rows.c.is_new, rows.c.waits)


def _id(contact_id: sa.ColumnElement[str], number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    text = contact_id + sa.literal("|") + sa.cast(number, sa.String)
    return sa.func.substr(sa.func.sha256(text), 1, ID_LENGTH, type_=sa.String)
