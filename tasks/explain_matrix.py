"""Which row of each matrix a contact meets, in the answer of `vesper explain` (R78, R80).

What belongs here: this section's words. What does not: the choice (`vesper/matrix.py`) and the other sections (`explain_person.py`).
"""

import sqlalchemy as sa

from tasks.explain_asked import Asked, table
from vesper.matrix import SEPARATOR, choice
from vesper.model.from_matrix import FromMatrix
from vesper.model.matrix import Matrix
from vesper.model.outreach import Outreach
from vesper.night import Night
from vesper.sent import sent_by
from vesper.tables.contact import CONTACT


def matrices(asked: Asked, id: str, own: Outreach | None = None) -> str:
    """One line for each matrix in force, or for those that a campaign or journey sends by; nothing where there is none."""
    _ = asked._
    known = asked.definitions("send")
    newest = asked.pinned.get(CONTACT.name)
    if newest is None:
        return ""
    wanted = known.of(Matrix).keys() if own is None else _named_by(own)
    night = Night(newest.business_on, asked.house.workspace, known)
    rows = [
        [
            matrix.title(asked.language),
            row.row_id or "-",
            row.content_id or f"**{_('a gap')}**: {row.gap}",
            _(row.variant) if row.variant else "-",
            (row.channels or "-").replace(SEPARATOR, ", "),
            asked.decided_by("send", f"matrix/{matrix.id}"),
        ]
        for matrix in known.of(Matrix).values()
        if matrix.id in wanted
        for row in asked.rows(_of(matrix, night, id))
    ]
    heads = [_("matrix"), _("row met"), _("content"), _("variant"), _("channels in order"), _("decided by")]
    return table(heads, rows)


def _named_by(own: Outreach) -> set[str]:
    return {sent.content.matrix for sent in sent_by(own) if isinstance(sent.content, FromMatrix)}


def _of(matrix: Matrix, night: Night, id: str) -> sa.Select[tuple[object, ...]]:
    picked = choice(matrix, night).subquery("picked")
    return sa.select(picked).where(picked.c.contact_id == id)
