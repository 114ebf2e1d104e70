"""What the consolidate stage tells of identity: how records are named, and how many joined another one (R5, R6).

What belongs here: that. What does not: who is one person (`vesper/identity`, `tasks/identity.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.identity.keys import record_id
from vesper.tables.contact import CONTACT_MEMBER

__all__ = ["merged_rows", "record_id"]


def merged_rows() -> sa.Select[Any]:
    """Source rows that joined a contact which another row already made."""
    return sa.select(sa.func.count() - sa.func.count(CONTACT_MEMBER.c.contact_id.distinct())).select_from(
        CONTACT_MEMBER
    )
