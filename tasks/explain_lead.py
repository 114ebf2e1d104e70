"""The lead of a contact in the answer of `vesper explain`: where it stands, how often it came back, what sales said, BANT statements.

What belongs here: this section's words. What does not: the Selects (`vesper/explain_lead.py`) and the other sections (`explain_person.py`).
"""

from itertools import groupby

from tasks.explain_asked import Asked, table
from vesper import explain_lead as ask


def lead(asked: Asked, id: str) -> str:
    """The lead in a few lines and two tables; one sentence for who never was one."""
    _ = asked._
    lines = [
        _("the stage {stage} would hold, but may not be entered from here").format(stage=row.refused_stage)
        for row in asked.rows(ask.refused_stage(id))
    ]
    for row in asked.rows(ask.lead(id)):
        said = _("**{status}** since {at}, came back {count} times, last touched {touched}")
        since = row.opened_at if row.closed_at is None else row.closed_at
        lines.append(
            said.format(
                status=_(row.status),
                at=asked.time(since),
                count=row.recycle_count,
                touched=asked.time(row.last_touch_at),
            )
        )
    parts = ["\n".join(f"- {line}" for line in lines), _outcomes(asked, id), _bant(asked, id)]
    return "\n\n".join(filter(None, parts)) or _("Never was a lead.")


def _outcomes(asked: Asked, id: str) -> str:
    _ = asked._
    heads = [_("when"), _("outcome"), _("reason"), _("source"), _("hand-over")]
    rows = [
        [asked.time(row.at), _(row.outcome), row.reason_code or "-", row.source, row.handover_id or "-"]
        for row in asked.rows(ask.outcomes(id))
    ]
    return table(heads, rows)


def _bant(asked: Asked, id: str) -> str:
    """What a statement says is not shown: it may be anything that a person typed."""
    _ = asked._
    heads = [_("BANT"), _("when"), _("source"), _("row"), _("counts")]
    rows = []
    for dimension, statements in groupby(asked.rows(ask.bant(id)), key=lambda row: row.dimension):
        for place, row in enumerate(statements):
            counts = _("yes") if place == 0 else "-"
            rows.append([_(dimension), asked.time(row.at), row.source, row.record_key, counts])
    return table(heads, rows)
