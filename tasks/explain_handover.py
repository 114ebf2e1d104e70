"""The hand-overs of a contact in the answer of `vesper explain`: when, why, to whom, what sales answered, and whether a person talks to it (R64, R66).

What belongs here: this section's words. What does not: deciding and recording them (`tasks/handover.py`). Representatives are named by their id in
policy/sales; what people typed as a reason stays in the ledger.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import Asked, table
from vesper import explain_identity
from vesper.language import Translate
from vesper.wording import figure
from warehouse.ledger.handover_schema import HANDOVER, HANDOVER_REASON, HUMAN_TASK


def handovers(asked: Asked, id: str) -> str:
    """The open human task in a line, then every hand-over, the newest first; one sentence for who was never handed over."""
    _ = asked._
    ids = [id, *[row.old_id for row in asked.rows(explain_identity.older_ids(id))]]
    found = asked.ledger(
        sa.select(HANDOVER).where(HANDOVER.c.contact_id.in_(ids)).order_by(HANDOVER.c.created_at.desc())
    )
    if not found:
        return _("Never was handed over to sales.")
    tasks = asked.ledger(
        sa.select(HUMAN_TASK).where(HUMAN_TASK.c.contact_id.in_(ids)).order_by(HUMAN_TASK.c.opened_at.desc())
    )
    return "\n\n".join(filter(None, [_tasks(asked, tasks), _table(asked, found)]))


def _tasks(asked: Asked, tasks: Sequence[Any]) -> str:
    _ = asked._
    still = _("a person talks to this contact since {at} ({cause}): marketing writes nothing to it")
    over = _("a person talked to this contact from {at} ({cause}) until {until}")
    lines = [
        (still if task.is_open else over).format(
            at=asked.time(task.opened_at), cause=asked.word(task.cause), until=asked.time(task.closed_at)
        )
        for task in tasks
    ]
    return "\n".join(f"- {line}" for line in lines)


def _table(asked: Asked, found: Sequence[Any]) -> str:
    _ = asked._
    reasons, states = _reasons(asked, [row.handover_id for row in found]), _states(_)
    heads = [
        _("Hand-over"),
        _("handed over at"),
        _("why now"),
        _("score then"),
        _("reasons then"),
        _("with"),
        _("answer due"),
        _("where it stands"),
    ]
    rows = [
        [
            row.handover_id,
            asked.time(row.created_at),
            asked.word(row.cause),
            figure(row.score),
            reasons[row.handover_id] or "-",
            row.owner or _("nobody had room"),
            asked.time(row.due_at),
            " ".join(filter(None, [states[row.state], row.reason_code and f"({row.reason_code})"])),
        ]
        for row in found
    ]
    return table(heads, rows)


def _states(_: Translate) -> dict[str, str]:
    return {
        "open": _("waits for sales"),
        "accepted": _("accepted by sales"),
        "rejected": _("rejected by sales"),
        "ended": _("over"),
        "withdrawn": _("taken back"),
    }


def _reasons(asked: Asked, ids: Sequence[str]) -> dict[str, str]:
    """Rules and points of each hand-over, the weightiest first."""
    query = sa.select(HANDOVER_REASON).where(HANDOVER_REASON.c.handover_id.in_(ids), HANDOVER_REASON.c.points != 0)
    said: dict[str, list[str]] = defaultdict(list)
    for row in asked.ledger(query.order_by(HANDOVER_REASON.c.points.desc(), HANDOVER_REASON.c.rule_id)):
        said[row.handover_id].append(f"{row.rule_id} {row.points:+d}")
    return defaultdict(str, {id: ", ".join(parts) for id, parts in said.items()})
